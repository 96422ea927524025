# SPDX-License-Identifier: Apache-2.0
# Is the input what --json of verify (and, with more members, inspect) promises? true, or an error that says
# what is not.

def is(kind): type == kind;
def hex(n): is("string") and test("^[0-9a-f]{\(n)}$");
def number_or_null: . == null or (is("number") and . == floor and . >= 0);
def demand(what; condition): if condition then . else error("\(what): \(tojson)") end;

def signer:
	demand("signer has other members"; keys == ["fingerprint", "source", "subject"])
	| demand("fingerprint"; .fingerprint | hex(64))
	| demand("subject"; .subject | is("string"))
	| demand("source"; .source | IN("baked", "argument"));

def image:
	demand("an image has other members";
		(keys - ["microseconds"]) == (["image", "name", "verdict", "reason", "code", "at", "errno", "detail",
			"rootHash", "signer"] | sort))
	| demand("image"; .image | is("string"))
	| demand("name"; .name | . == null or is("string"))
	| demand("verdict and reason"; (.verdict == "accepted" and .reason == "accepted" and .code == 1)
		or (.verdict == "refused" and (.reason | test("^[a-z]+\\.[a-z0-9-]+$")) and .code >= 100))
	| demand("at"; .at | number_or_null)
	| demand("errno"; .errno | number_or_null)
	| demand("detail"; .detail | is("string") and length > 10)
	| demand("rootHash"; .rootHash | . == null or hex(64))
	| if .signer == null then . else .signer |= signer end
	| demand("an accepted image has root hash and signer";
		.verdict == "refused" or (.rootHash != null and .signer != null))
	| demand("a refused image has no signer"; .verdict == "accepted" or .signer == null);

demand("version"; .version == 1)
| demand("images"; .images | is("array"))
| demand("members"; $inspect == "yes" or keys == ["images", "version"])
| .images |= map(image)
| true
