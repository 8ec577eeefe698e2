"""The SANE network protocol, its client (the backend net) and its server half."""
