# SPDX-License-Identifier: Apache-2.0
# The REASONS section of the manual page, from src/reason.def.
/^REASON\(/ {
	split($0, part, /\(|, |"/)
	match($0, /"[a-z0-9.-]*"/)
	name = substr($0, RSTART + 1, RLENGTH - 2)
	rest = substr($0, RSTART + RLENGTH)
	match(rest, /".*"/)
	sentence = substr(rest, RSTART + 1, RLENGTH - 2)
	gsub(/\\/, "\\e", sentence)
	gsub(/-/, "\\-", name)
	end = sentence ~ /[.?]$/ ? "" : "."
	printf ".TP\n\\fB%s\\fR (%s)\n%s%s\n", name, part[2], sentence, end
}
