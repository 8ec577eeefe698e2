"""Page work: scanned pages are straightened, cut, put in order, and written as documents.

    from sane.pagework import names, ocr, order, pdf, pipeline, spool, steps, writers

    writers.check_format("pdf")                            # what is missing is told before the scan
    work = steps.steps_for(deskew=True, crop="auto", blank=0.3)
    with spool.Spool() as kept, pipeline.Pipeline(kept, work, format="pdf") as line:
        for page in scanner.pages():                       # of the Python API
            line.put(page)                                 # waits while too many are under way
        pages = line.end()                                 # in order; page.problem, page.facts
        documents, notes = order.arrange(pages, collation="reverse-backs", skip_blank=True)
        for document in documents:
            writers.write(document, "letter.pdf", "pdf", document=pdf.Document(title="Letter"))

After an interruption line.pages() has what is finished once the pipeline's block was left;
names.partial() says where it goes. Errors are problem.PageWorkError: a sentence, a hint, an exit
code. profiles.Configuration has the users' settings. This file imports nothing: each module
imports its libraries (NumPy, OpenCV, Pillow, pikepdf) when it needs them. Source: specification
python-api-and-cli 12.
"""
