"""python-sane's face: its modules, classes, texts and habits, without its defects (python-api 1-7).

It knows what programs written for python-sane rely on; a device it knows as a Handle, as the new
face does, and nothing of that face.
"""
