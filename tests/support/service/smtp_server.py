"""A real SMTP server on loopback that prints each mail it takes as a line of JSON.

    python smtp_server.py PORT USER PASSWORD

It wants that login. Whoever is called `nobody` has no mailbox; whoever is called `later` is refused
the first time.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Mailboxes:
    def __init__(self):
        self.seen = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            return "550 5.1.1 no such mailbox"
        if name == "later" and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.say(
            {
                "sender": envelope.mail_from,
                "recipients": envelope.rcpt_tos,
                "id": mail["Message-ID"],
                "to": mail["To"],
                "from": mail["From"],
                "subject": mail["Subject"],
                # Lines end with CRLF on the wire.
                "text": mail.get_content().replace("\r\n", "\n"),
            }
        )
        return "250 OK"

    @staticmethod
    def say(line):
        print(json.dumps(line), flush=True)


async def main(port, user, password):
    def authenticate(server, session, envelope, mechanism, data):
        given = (data.login.decode(), data.password.decode())
        # Handled would mean that the answer was sent already.
        return AuthResult(success=given == (user, password), handled=False)

    mailboxes = Mailboxes()

    def connection():
        return SMTP(
            mailboxes,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=False,
            loop=loop,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", port)
    mailboxes.say({"listening": port})
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
