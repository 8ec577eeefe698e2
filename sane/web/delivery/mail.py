"""E-mail as a destination: a message with the file, sent by SMTP.

Message-ID is the same in every attempt, so that mail systems can drop a second one. Source: RFC
5321, RFC 8314 (TLS), RFC 5322.
"""

from __future__ import annotations

import os
import smtplib
from email.message import EmailMessage
from email.utils import formatdate

from ..store.names import TYPES
from .http import tls_context
from .sending import Later, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sending import Sending

SECONDS = 60.0
MOST_MIB = 25  # what most servers take
PORTS = {"starttls": 587, "tls": 465, "none": 25}


def send(sending: Sending) -> str:
    """Send the message; return who got it."""
    settings = sending.settings
    most = settings.get("most_mib", MOST_MIB)
    if os.path.getsize(sending.file) > most << 20:
        raise Refused(f"the file has more than {most} MiB, too much for e-mail (most_mib)")
    message = _message(sending)
    try:
        with _connection(sending) as server:
            user = settings.get("user")
            if user:
                server.login(user, sending.secret("password"))
            refused = server.send_message(message)
    except smtplib.SMTPAuthenticationError as exc:
        raise Refused(f"{settings['server']} refuses the user: {_said(exc)}") from exc
    except smtplib.SMTPRecipientsRefused as exc:
        codes = [code for code, _ in exc.recipients.values()]
        text = f"{settings['server']} refuses {', '.join(exc.recipients)}"
        raise (Refused if min(codes) >= 500 else Later)(text) from exc
    except smtplib.SMTPResponseException as exc:
        text = f"{settings['server']}: {_said(exc)}"
        raise (Refused if exc.smtp_code >= 500 else Later)(text) from exc
    except smtplib.SMTPNotSupportedError as exc:
        raise Refused(f"{settings['server']}: {exc}") from exc
    except (smtplib.SMTPException, OSError) as exc:
        raise Later(f"{settings['server']}: {exc}") from exc
    taken = [address for address in settings["to"] if address not in refused]
    said = f"sent to {', '.join(taken)}"
    return f"{said}; refused: {', '.join(refused)}" if refused else said


def _connection(sending: Sending) -> smtplib.SMTP:
    settings = sending.settings
    security = settings.get("security", "starttls")
    place = settings["server"], settings.get("port", PORTS[security])
    if security == "tls":
        return smtplib.SMTP_SSL(*place, timeout=SECONDS, context=tls_context(settings))
    server = smtplib.SMTP(*place, timeout=SECONDS)
    if security == "starttls":
        try:
            server.starttls(context=tls_context(settings))
        except BaseException:
            server.close()
            raise
    return server


def _message(sending: Sending) -> EmailMessage:
    settings = sending.settings
    message = EmailMessage()
    sender = settings["sender"]
    message["From"] = sender
    message["To"] = ", ".join(settings["to"])
    message["Subject"] = settings.get("subject", "{title}").replace("{title}", sending.title)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{sending.delivery}@{sender.rpartition('@')[2]}>"
    message.set_content(settings.get("text", "A document from the scanner.") + "\n")
    main, _, sub = TYPES[sending.type].partition("/")
    with open(sending.file, "rb") as file:
        message.add_attachment(file.read(), maintype=main, subtype=sub, filename=sending.name)
    return message


def _said(exc: smtplib.SMTPResponseException) -> str:
    text = exc.smtp_error
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
