"""Why SES does not take the mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses, parseaddr

from botocore.exceptions import ClientError

from ses_events.verify.account import Account, UsageError, error_code, error_message, is_denial
from ses_events.verify.finding import Cause, Finding, looking
from ses_events.verify.system import System, verified_identities


def why_refused(account: Account, system: System, sender: str, recipient: str, error: ClientError) -> Iterator[Finding]:
    """Why SES did not accept the mail.

    :raises UsageError: when it is about the caller and not about the system.
    """
    code, message = error_code(error), error_message(error)
    sender, recipient = parseaddr(sender)[1], parseaddr(recipient)[1]
    if is_denial(error):
        raise UsageError(f"your credentials may not send: {message} (docs/verify.md has the policy that verify needs)")
    said = f"SES said: {message} ({code})"
    if code == "MessageRejected" and "not verified" in message:
        yield from _not_verified(account, sender, recipient, message)
    elif code == "NotFoundException":
        yield Cause(
            f"the configuration set {system.called(system.configuration_set)} does not exist",
            said,
            "make it again with this, then its event destinations: a deployment of the same template says 'no changes'",
            account.command("sesv2 create-configuration-set", f"--configuration-set-name {system.configuration_set}"),
        )
    elif code == "MailFromDomainNotVerifiedException":
        domain = sender.rpartition("@")[2]
        yield Cause(
            f"the MAIL FROM domain of {domain} is not verified",
            said,
            "publish the MX record of the MAIL FROM domain that SES names",
            account.command("sesv2 get-email-identity", f"--email-identity {domain}"),
        )
    elif code in ("TooManyRequestsException", "LimitExceededException", "Throttling"):
        yield Cause("the sending quota of the account is used up", said, "wait, or ask AWS for a higher quota")
    elif "Paused" in code or "Suspended" in code or re.search("paused|disabled|suspended", message, re.IGNORECASE):
        yield from _sending_off(account, system, said)
    else:
        yield Cause("SES refused the mail", said, "see what SES said")


def _not_verified(account: Account, sender: str, recipient: str, message: str) -> Iterator[Finding]:
    region = account.region
    named = {address for _, address in getaddresses([message.rpartition(": ")[2]])}
    if recipient in named and sender not in named:
        yield Cause(
            f"the account is in the SES sandbox, and the recipient {recipient} is not verified",
            f"SES said: {message}",
            "send to the mailbox simulator (leave out --to), verify the recipient, or ask AWS for production access",
        )
        return
    verified: list[str] = []
    with looking("ses:ListEmailIdentities", "which identities are verified") as unseen:
        verified = verified_identities(account)
    instead = f"; or send --from one that is: {', '.join(verified[:10])}" if verified else ""
    yield Cause(
        f"the identity of the sender {sender} is not verified in {region}",
        f"SES said: {message}",
        f"verify it, and click the link in the mail that comes{instead}",
        account.command("sesv2 create-email-identity", f"--email-identity {sender}"),
    )
    yield from unseen


def _sending_off(account: Account, system: System, said: str) -> Iterator[Finding]:
    found = False
    with looking("ses:GetConfigurationSet", "whether the set may send") as unseen:
        described = account.client("sesv2").get_configuration_set(ConfigurationSetName=system.configuration_set)
        if not described.get("SendingOptions", {}).get("SendingEnabled", True):
            found = True
            yield Cause(
                f"sending is disabled for the configuration set {system.called(system.configuration_set)}",
                said,
                "enable it, after a look at why it was disabled",
                account.command(
                    "sesv2 put-configuration-set-sending-options",
                    "--sending-enabled",
                    f"--configuration-set-name {system.configuration_set}",
                ),
            )
    yield from unseen
    with looking("ses:GetAccount", "whether the account may send") as unseen:
        described = account.client("sesv2").get_account()
        status = described.get("EnforcementStatus", "HEALTHY")
        if not described.get("SendingEnabled", True):
            found = True
            yield Cause(
                f"sending is paused for the whole account in {account.region} (enforcement status {status})",
                said,
                "if AWS paused it, answer its support case; if somebody of yours did, enable it",
                account.command("sesv2 put-account-sending-attributes", "--sending-enabled"),
            )
    yield from unseen
    if not found:
        yield Cause("sending is paused", said, "look at the sending status of the set and of the account")
