"""The backend net: devices of other machines that run saned."""
