# SPDX-License-Identifier: Apache-2.0
"""
Other image policies than the default one: what an image may be without, and what no policy makes good. A
signature that is there and bad is final.
"""

import pkcs7
from cases_gpt import B, DATA, NO_ENVELOPE, SIGNATURE, T, TREE, without
from ddi import uuid
from table import ANY, GONE, row

UNSIGNED = {f"{SIGNATURE}.*": GONE, **NO_ENVELOPE}
VERITY = "root=verity"


def unsigned(name, reason, policy, differs=None, edit=lambda i, w: None, cases=75, **more):
    def generate(i, w):
        without("envelope")(i, w)
        edit(i, w)
    row(f"policy-unsigned-{name}", reason, cases, {**UNSIGNED, **(differs or {})}, policy=policy, **more)(generate)


unsigned("verity", "accepted", VERITY)
unsigned("anything", "accepted", "*")
unsigned("signed", "policy.unsigned", "root=signed")
unsigned("usr-too", "policy.missing", "root=verity:usr=verity")
unsigned("usr-only", "policy.use", "usr=verity:root=absent")
unsigned("absent", "policy.use", "root=absent")
unsigned("unprotected", "policy.use", "root=unprotected")
unsigned("nothing", "policy.use", "-")
unsigned("no-verity", "gpt.no-verity", VERITY, {f"{TREE}.*": GONE, "superblock.*": GONE, "verity.*": GONE},
         without("tree"))
unsigned("uuid-data", "superblock.path", VERITY, {f"{DATA}.uuid": ANY},
         lambda i, w: setattr(i.partition("data"), "uuid", uuid(bytes(16))))
unsigned("uuid-tree", "superblock.path", VERITY, {f"{TREE}.uuid": ANY},
         lambda i, w: setattr(i.partition("tree"), "uuid", uuid(bytes(16))))
unsigned("flip", "superblock.path", VERITY, {"verity.bad": ("data block 0",)}, lambda i, w: i.flip(i.at["data"]))
unsigned("flip-later", "accepted", VERITY, {"verity.bad": ("data block 1",)}, lambda i, w: i.flip(i.at["data"] + 4096),
         deep="superblock.data")
unsigned("no-anchors", "accepted", VERITY, anchors=())

# Verity alone is enough, but for what claims to be signed.
for policy_name, policy in (("verity", VERITY), ("anything", "*"), ("signed-or-verity", "root=signed+verity+unprotected")):
    row(f"policy-{policy_name}-signed", "accepted", 75, policy=policy)(lambda i, w: None)
    row(f"policy-{policy_name}-stranger", "signature.untrusted", 75, {
        "signature.certificates": ANY, "signer-0.named": "stranger", "signer-0.made": "by stranger over the root hash"},
        policy=policy)(lambda i, w: setattr(i, "signature", pkcs7.sign(w["stranger"], i.root.encode()).encode()))
    row(f"policy-{policy_name}-wrong", "signature.wrong", 75, {"signer-0.made": "by ours over nothing"}, policy=policy)(
        lambda i, w: setattr(i, "signature", pkcs7.sign(w["ours"], b"").encode()))
    row(f"policy-{policy_name}-empty-envelope", "envelope.json", 75, {"envelope.text": "", "envelope.base64": GONE,
        "signature.*": GONE, "signer-0.*": GONE}, policy=policy)(lambda i, w: setattr(i, "text", b""))
    row(f"policy-{policy_name}-no-anchors", "signature.no-anchors", 75, policy=policy, anchors=())(lambda i, w: None)

# Attributes, and what else must or must not be there. What is asked of the data is asked of its verity and
# signature partitions too, if nothing else is, and the latter have no attributes.
row("policy-read-only-derived", "policy.attributes", (), policy="root=signed+read-only-on")(lambda i, w: None)
row("policy-read-only", "accepted", (), policy="root=signed+read-only-on:root-verity-sig=unprotected")(lambda i, w: None)
row("policy-read-only-off", "policy.attributes", (), policy="root=signed+read-only-off")(lambda i, w: None)
row("policy-not-read-only", "policy.attributes", (), {f"{DATA}.attributes": 0}, policy="root=signed+read-only-on")(
    lambda i, w: setattr(i.partition("data"), "attributes", 0))
row("policy-home-forbidden", "policy.forbidden", (), {f"{T}.entry-9.*": ANY, f"{T}.last": ANY, f"{B}.last": ANY, "file.size": ANY,
    f"{T}.alternate": ANY, f"{B}.own": ANY, f"{B}.array": ANY}, policy="root=signed:home=absent")(
        lambda i, w: i.add("data", 9, 4096, type="933ac7e1-2eb4-4f13-b844-0e14e2aef915",
                           uuid="11111111-2222-3333-4444-555555555555") and None)
row("policy-home-missing", "policy.missing", (), policy="root=signed:home=unprotected")(lambda i, w: None)
