"""Goal: a partner is suspended in the middle of what it posts: nothing of it is taken behind the second
signature, each message is answered, and what was receipted before keeps its receipt."""
import types
import unittest

import wire
from test_hostile import CODES, KINDS, Broker
from wire import envelope, now

MANY = 100


class MidSession(Broker):

    def act(self, officer, act):
        """The officer signs it and sends it to the broker: the place of that message in the log."""
        who = self.people[officer]
        broker = types.SimpleNamespace(
            name="broker", key_id=self.broker_key["id"],
            box_key=self.broker_key["box_keys"][0]["box_key"])
        body = wire.encode("SignedAct", {"act": act, "signatures": [
            {"officer": officer, "key_id": who.key_id,
             "signature": who.signature("suspension", act)}]})
        return envelope(who, broker, KINDS["PROPOSE_SUSPENSION"], body=body)

    def suspension(self, name, serial, lift=False):
        return wire.encode("SuspensionAct", {
            "principal": name, "lift": lift, "reason": 2, "serial": serial, "made_at": now()})

    def post_all(self, c, messages):
        for data in messages:
            c.send("post", {"envelope": data})

    def answers(self, c, messages):
        """In the order of the messages: a receipt (index, time) or a refusal (None) for each."""
        of = {wire.spec.sha256(data): data for data in messages}
        came = {}
        while len(came) < len(messages):
            what, values = c.receive()
            data = of[values["envelope_hash"]]
            self.assertNotIn(data, came)
            if what == "receipt":
                came[data] = values.get("index", 0), values["received_at"]
            else:
                self.assertEqual((what, CODES[values["code"]]), ("refusal", "SUSPENDED"))
                self.assertTrue(wire.refusal_right(values, self.broker_key["sign_key"], data))
                came[data] = None
        return [came[data] for data in messages]

    def test_nothing_is_taken_behind_the_second_signature(self):
        c = self.joined("mallory")
        first, second = self.joined("officer", "urgent"), self.joined("other-officer", "urgent")
        messages = [self.envelope("mallory", "intake") for _ in range(4 * MANY)]
        before, around = messages[:MANY], messages[MANY:3 * MANY]
        act = self.suspension("mallory", 1)
        self.post_all(c, before)
        early = self.answers(c, before)
        self.assertNotIn(None, early)
        self.received(first, self.act("officer", act))
        # the second signature comes between what is still on its way
        confirm = self.act("other-officer", act)
        self.post_all(c, around[:MANY])
        second.send("post", {"envelope": confirm})
        self.post_all(c, around[MANY:])
        what, values = second.receive()
        self.assertEqual(what, "receipt")
        self.post_all(c, messages[3 * MANY:])
        late = self.answers(c, around) + self.answers(c, messages[3 * MANY:])
        taken = [at for at in late if at]
        self.assertEqual(late, taken + [None] * (len(late) - len(taken)))
        self.assertEqual(late[-MANY:], [None] * MANY)
        self.assertEqual([at for at in taken if at[0] > values["index"]], [])
        # what was receipted stays receipted, on this connection; no other one is let in
        self.post_all(c, messages)
        self.assertEqual(self.answers(c, messages), early + late)
        stranger = self.connect("mallory", wait=2)
        with self.assertRaises(wire.Silence):
            stranger.hello()
        self.is_served()
        # and after the lift all goes on, once
        act = self.suspension("mallory", 2, lift=True)
        self.received(first, self.act("officer", act))
        self.received(second, self.act("other-officer", act))
        again = self.joined("mallory")
        self.post_all(again, messages)
        end = self.answers(again, messages)
        self.assertNotIn(None, end)
        self.assertEqual(end[:len(before) + len(taken)], early + taken)
        self.assertEqual(len({at[0] for at in end}), len(messages))


if __name__ == "__main__":
    unittest.main()
