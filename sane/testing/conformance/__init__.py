"""The conformance suite: does a device keep the rules of the SANE standard? See __main__."""
