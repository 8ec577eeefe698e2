"""The devices that are known to need something else: what, why, and who says so.

Each row is a line as an administrator would write it in escl.conf, the symptom that it is there
for, and its source: E n is row n of specification escl 5. What every device gets anyway has no
row: connections that are closed, jobs found in any Location, magic bytes before content types,
AdfProcessing and AdfEmpty at the end of a feeder, 503 that is waited for, JPEGs without a height,
a DELETE that is answered with anything.
"""

KNOWN = (
    (
        'quirk model="*HP LaserJet MFP M630*" host=localhost',
        "refuses jobs that are asked of its address; its Location names localhost",
        "E 1",
    ),
    (
        'quirk model="*HP Color LaserJet FlowMFP M578*" host=localhost',
        "refuses jobs that are asked of its address; its Location names localhost",
        "E 1",
    ),
    (
        'quirk server="*HP_Compact_Server*" host=localhost',
        "the same of E77830, M480, M477, M577, M578, M682 and PageWide devices of this firmware",
        "E 1",
    ),
    (
        "quirk manufacturer=EPSON host=port",
        "makes its Location of the Host header, and forgets the port if it is not in it",
        "E 3",
    ),
    (
        'quirk model="EPSON *" host=port',
        "makes its Location of the Host header, and forgets the port if it is not in it",
        "E 3",
    ),
    (
        'quirk model="*MF410 Series*" adf-precheck',
        "a job for its empty feeder is, or is told as, a paper jam",
        "E 4",
    ),
    (
        'quirk model="*WorkCentre 3345*" adf-precheck retry-410',
        "a job for its empty feeder is a paper jam; 410 means that the page is not ready",
        "E 5",
    ),
    (
        'quirk model="*B205*" manufacturer="Xerox*" retry-404 retry-410 no-delete',
        "404 and 410 mean that the page is not ready; a DELETE after a good job upsets it",
        "E 6",
    ),
    (
        'quirk model="Xerox*B205*" retry-404 retry-410 no-delete',
        "404 and 410 mean that the page is not ready; a DELETE after a good job upsets it",
        "E 6",
    ),
    (
        'quirk model="*B215*" manufacturer="Xerox*" retry-404 retry-410 no-delete',
        "404 and 410 mean that the page is not ready; a DELETE after a good job upsets it",
        "E 6",
    ),
    (
        'quirk model="Xerox*B215*" retry-404 retry-410 no-delete',
        "404 and 410 mean that the page is not ready; a DELETE after a good job upsets it",
        "E 6",
    ),
    (
        'quirk model="Brother *" load-delay=auto',
        "a page that is asked for too early after the one before is lost or blank",
        "E 7",
    ),
    (
        'quirk model="*iR2625*" max-resolution=300',
        "fails at the resolutions above 300 dpi that it lists",
        "E 8",
    ),
    (
        'quirk model="*iR2630*" max-resolution=300',
        "fails at the resolutions above 300 dpi that it lists",
        "E 8",
    ),
    (
        'quirk model="HP LaserJet*M28*" retries=90',
        "answers 503 for long at high resolutions",
        "E 16",
    ),
    (
        'quirk model="HP LaserJet*M29*" retries=90',
        "answers 503 for long at high resolutions",
        "E 16",
    ),
    (
        'quirk model="HP LaserJet*M30*" retries=90',
        "answers 503 for long at high resolutions",
        "E 16",
    ),
    (
        'quirk model="HP LaserJet*M31*" retries=90',
        "answers 503 for long at high resolutions",
        "E 16",
    ),
    (
        'quirk model="HP DeskJet 5[0-9][0-9][0-9]*" full-area',
        "crops and rescales what is not the whole area",
        "E 18",
    ),
    (
        'quirk model="*VersaLink B405*" no-delete',
        "stays busy when a DELETE comes while it ends a job",
        "E 25",
    ),
    (
        'quirk model="*MFC-J985DW*" pdf-blacklist',
        "sends PDF files that nothing can read",
        "E 26",
    ),
    (
        'quirk model="*DCP-L2530DW*" pdf-blacklist',
        "sends PDF files that nothing can read",
        "E 26",
    ),
    (
        'quirk model="HP Laser MFP 13[1-8]*" place=usb disable',
        "answers every path of eSCL with 404 when it is connected by USB",
        "E 29",
    ),
    (
        'quirk model="HP Laser 107*" place=usb disable',
        "answers every path of eSCL with 404 when it is connected by USB",
        "E 29",
    ),
)
