"""A NAS in pyrad: answers CoA and Disconnect. `das.py PORT SECRET`; alice's are acknowledged, everybody else's refused
with Error-Cause 503. One line a request on standard output."""
import os
import sys

from pyrad import dictionary, packet, server

here = os.path.dirname(os.path.abspath(__file__))


class Das(server.Server):
    def answer(self, request, ack, nak):
        user = request["User-Name"][0] if "User-Name" in request else ""
        names = sorted(str(key) for key in request.keys())
        print("coa" if ack == packet.CoAACK else "disconnect", user, " ".join(names), flush=True)
        reply = self.CreateReplyPacket(request)
        reply.code = ack if user == "alice" else nak
        if user != "alice":
            reply["Error-Cause"] = 503
        self.SendReplyPacket(request.fd, reply)

    def HandleCoaPacket(self, request):
        self.answer(request, packet.CoAACK, packet.CoANAK)

    def HandleDisconnectPacket(self, request):
        self.answer(request, packet.DisconnectACK, packet.DisconnectNAK)


port, secret = int(sys.argv[1]), sys.argv[2].encode()
# pyrad 2.1 cannot run without its other ports: any free ones.
das = Das(dict=dictionary.Dictionary(os.path.join(here, "dictionary")), coa_enabled=True, coaport=port, authport=0,
          acctport=0)
das.hosts["127.0.0.1"] = server.RemoteHost("127.0.0.1", secret, "lastmile")
das.BindToAddress("127.0.0.2")
print("ready", flush=True)
das.Run()
