# SPDX-License-Identifier: Apache-2.0
# What a merge says about extensions: the rules of vext(8), "An image must fit the tree under it". Read by check-sysext,
# which lists the root and the extensions into the directory CHECK_DIR:
#
#   root, N         a listing, N for extension N: two lines for each file. The first is TYPE/MODE/OWNER/PATH, with the
#                   letters of find -printf %y, and e for a directory or a link to one, as roots differ; the second
#                   is what a link says. A directory comes before what is in it
#   extensions      of each its name, 1 if it is required or 0, separated by a tab
#   N.problems      what is known already: REASON: TEXT
#   places          where the hierarchies lie in the root: HIERARCHY PATH, where that is not the same
#   mounts          paths that are mounted at boot
#   labels          the listing and the hierarchy that has an SELinux label, separated by a space
#
# A backslash of a name is \\ and a newline \n in all of them.

# ---- texts ----------------------------------------------------------------------------------------

function word(type) {
	return type in words ? words[type] : "file of unknown kind"
}

# Bytes that a terminal may take for something else.
function shown(text,   out, i, c) {
	if (text !~ /[^ -~]/)
		return text
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		out = out (c ~ /[ -~]/ ? c : sprintf("\\x%02x", byte[c]))
	}
	return out
}

function basename(path) {
	sub(/^.*\//, "", path)
	return path
}

function dirname(path) {
	return path ~ /\// ? substr(path, 1, length(path) - length(basename(path)) - 1) : ""
}

function is_below(path, directory) {
	return path == directory || index(path, directory "/") == 1
}

# One line for each place and reason, a few for each reason.
function refuse(reason, path, detail) {
	if (refused_at[extension, reason, path]++)
		return
	verdict[extension] = "refused"
	count_line("refused", reason, reason ": " detail)
}

function tell(kind, detail) {
	count_line("note", kind, detail)
}

function count_line(verb, kind, text) {
	if (++lines_of[extension, verb, kind] <= LINES)
		said[extension, ++said_count[extension]] = verb " " shown(name[extension]) ": " shown(text)
	else
		left_out[extension, verb, kind]++
}

function tell_left_out(   key, part) {
	for (key in left_out) {
		split(key, part, SUBSEP)
		if (part[1] == extension)
			said[extension, ++said_count[extension]] = part[2] " " shown(name[extension]) ": " \
				(part[2] == "refused" ? part[3] ": " : "") "… and " left_out[key] " more of this kind" \
				(part[2] == "refused" ? "" : " (" part[3] ")")
	}
}

# ---- what is where --------------------------------------------------------------------------------

function clear(array) {
	split("", array)
}

function load(file, type, attributes, target, order,   line, text, part, path, count) {
	while ((getline line < file) > 0) {
		if ((getline text < file) <= 0)
			text = ""
		split(line, part, "/")
		path = substr(line, length(part[1] part[2] part[3]) + 4)
		sub(/\/$/, "", path)
		type[path] = part[1]
		order[++count] = path
		if (part[1] == "d" || part[1] == "e")
			attributes[path] = part[2] "/" part[3]
		else if (part[1] == "l")
			target[path] = text
	}
	close(file)
	return count + 0
}

# The hierarchy's own name for what is reached by where it lies.
function own_name(path,   hierarchy) {
	for (hierarchy in place)
		if (is_below(path, place[hierarchy]))
			return hierarchy substr(path, length(place[hierarchy]) + 1)
	return path
}

# Does this extension's file show, and not that of one that was admitted?
function shows(path) {
	return path in type && (!(path in over_type) || rank[extension] > over_rank[path])
}

function type_at(path, view,   found) {
	if (path == "")
		return "d"
	if (view == "image")
		return path in type ? type[path] : ""
	if (view == "merged" && shows(path))
		return type[path]
	if (view == "merged" && path in over_type)
		return over_type[path]
	found = path in root_type ? root_type[path] : ""
	return found == "e" ? "d" : found
}

function target_at(path, view) {
	if (view == "image" || view == "merged" && shows(path))
		return target[path]
	return view == "merged" && path in over_type ? over_target[path] : root_target[path]
}

# Without a file system there is no more to it than the words.
function normal(path,   part, n, i, out) {
	n = split(path, part, "/")
	for (i = 1; i <= n; i++) {
		if (part[i] == "..")
			out = dirname(out)
		else if (part[i] != "" && part[i] != ".")
			out = out (out == "" ? "" : "/") part[i]
	}
	return out
}

# Follows `path` in a view: the bare root, the merged one, the image. Sets end and end_type ("" for what is not
# there, "loop"), and step[1..steps], each place on the way; missing is the first that is not there.
function walk(path, view,   rest, at, part, next_, type_, links) {
	rest = path
	at = ""
	links = steps = 0
	missing = ""
	while (rest != "") {
		part = index(rest, "/") ? substr(rest, 1, index(rest, "/") - 1) : rest
		rest = substr(rest, length(part) + 2)
		if (part == "" || part == ".")
			continue
		if (part == "..") {
			at = dirname(at)
			continue
		}
		next_ = own_name(at == "" ? part : at "/" part)
		step[++steps] = next_
		type_ = type_at(next_, view)
		if (type_ == "l") {
			if (++links > 40) {
				end = next_
				end_type = "loop"
				return
			}
			rest = target_at(next_, view) (rest == "" ? "" : "/" rest)
			if (rest ~ /^\//)
				at = ""
		} else if (type_ == "" || type_ != "d" && rest != "") {
			missing = next_
			end = normal(next_ "/" rest)
			end_type = ""
			return
		} else {
			at = next_
		}
	}
	end = at
	end_type = type_at(at, view)
}

# Only what a dm-verity device answers for.
function is_inside(path,   i, inside) {
	for (i in reached)
		inside = inside || is_below(path, reached[i])
	for (i in mounted)
		inside = inside && !is_below(path, mounted[i])
	return inside
}

# ---- protected paths ------------------------------------------------------------------------------

function reason_name(constant) {
	constant = tolower(constant)
	sub(/_/, ".", constant)
	gsub(/_/, "-", constant)
	return constant
}

# The way to `path` in the bare root. What stands on it must stay, and where it ends too early, the rest must not come. A
# directory on the way stays one, as merge.type has it.
function protect(path, reason, kind,   i, at) {
	walk(path, "bare")
	for (i = 1; i <= steps; i++)
		if (type_at(step[i], "bare") != "d")
			keep(step[i], path, reason)
	if (end_type != "" || type_at(missing, "bare") != "")
		return
	for (at = dirname(end); is_below(at, missing); at = dirname(at))
		keep(at, path, reason)
	keep(end, path, reason)
	# Generators where the root has none are new ones.
	if (kind == "DIRECTORY")
		guarded[end]
	else
		absent[end]
}

function keep(place_, path, reason) {
	if (place_ in kept)
		return
	kept[place_] = path
	kept_reason[place_] = reason
}

function protect_all(   line, part, path, directory_of, entries) {
	while ((getline line < ENVIRON["CHECK_PROTECTED"]) > 0) {
		if (line !~ /^PROTECTED\("/)
			continue
		split(line, part, /[("), ]+/)
		protect(part[2], reason_name(part[4]), part[3])
		if (part[3] == "FILE" || end_type != "d" || end == "")
			continue
		directory_of[end] = reason_name(part[4])
		if (part[3] == "CLOSED")
			forbid(end, part[2], directory_of[end])
		else
			guarded[end]
	}
	close(ENVIRON["CHECK_PROTECTED"])
	for (path in root_type)
		if (dirname(path) in directory_of)
			entries[dirname(path)]++
	for (path in entries)
		if (entries[path] > ENTRIES)
			forbid(path, path, directory_of[path])
	for (path in root_type)
		if (dirname(path) in directory_of && entries[dirname(path)] <= ENTRIES)
			protect(path, directory_of[dirname(path)], "FILE")
}

# Not even as a directory.
function forbid(place_, path, reason) {
	keep(place_, path, reason)
	absent[place_]
}

# The link that every /etc has, and one that says what the root's says.
function is_known_link(path) {
	return type[path] == "l" && (path == "etc/os-release" && target[path] == "../usr/lib/os-release" || \
		type_at(path, "bare") == "l" && target[path] == root_target[path])
}

function check_protected(path) {
	if (!(path in kept) || is_known_link(path) || !(path in absent) && type[path] == "d")
		return
	refuse(kept_reason[path], path, path " is a " word(type[path]) " in the image and " (path == kept[path] ? \
		"protected" : "on the way to /" kept[path] ", which is protected"))
}

# What makes a system of its own, wherever the image's own links lead.
function check_lacks(   i, n, line, part, lacks) {
	n = split(class == "sysext" ? \
		"usr/lib/os-release merge.os-release usr/lib/verity.d merge.trust usr/lib/systemd/systemd merge.init" \
		" usr/sbin/init merge.init usr/bin/init merge.init" : \
		"etc/os-release merge.os-release etc/initrd-release merge.os-release etc/verity.d merge.trust", lacks, " ")
	for (i = 1; i < n; i += 2) {
		walk(dirname(lacks[i]), "image")
		if (end_type != "d" || !((end "/" basename(lacks[i])) in type))
			continue
		if (is_known_link(end "/" basename(lacks[i])))
			continue
		refuse(lacks[i + 1], lacks[i], lacks[i] " is protected; an extension never has it")
	}
}

# ---- types and links ------------------------------------------------------------------------------

function mismatch(path, other, whose) {
	refuse("merge.type", path, path " is a " word(type[path]) " in the image and a " word(other) " in " whose)
}

# Of `path` in the image against one side; true where they do not go together.
function differs(path, other) {
	return other != "" && (type[path] == "d") != (other == "d")
}

function check_type(path,   other) {
	other = type_at(path, "bare")
	if (differs(path, other))
		mismatch(path, other, the_root)
	else if (path in over_type && differs(path, over_type[path]))
		mismatch(path, over_type[path], "the extension " name[over_owner[path]])
	else
		return 1
	return 0
}

# Whether a link replaces something, or stands where others are looked for: "" if not.
function replaced(path,   other) {
	other = type_at(path, "bare")
	if (other != "" && other != "d")
		return "replaces a " word(other) " of " the_root
	if (path in others)
		return "replaces that of the extension " name[others[path]]
	if (dirname(path) in guarded)
		return "stands in a protected directory"
	return ""
}

# The first place of the last walk that others than root and images decide on; "" if there is none.
function leaves(   i, at, hierarchy, on_way) {
	for (i = 1; i <= steps; i++) {
		at = dirname(step[i])
		on_way = at == "" || at ~ /^(bin|sbin|lib|lib64)(\/|$)/
		for (hierarchy in place)
			on_way = on_way || is_below(place[hierarchy], step[i])
		if (!on_way && !is_inside(step[i]))
			return step[i]
	}
	return ""
}

# Whether the link at `path` is good where it has to be, and what it leads to otherwise (leads_to).
function is_good_link(path,   bare) {
	walk(path, "bare")
	bare = end_type == "loop" ? "" : end
	walk(path, "merged")
	if (end_type == "loop")
		leads_to = "leads round in circles"
	else if (end == bare)
		return 1
	else if (!is_inside(end))
		leads_to = "leads to /" end ", outside of the merged hierarchies"
	else if (leaves() != "")
		leads_to = "leads by way of /" leaves() ", outside of the merged hierarchies"
	else if (end_type == "" && known)
		leads_to = "leads to /" end ", which is not there"
	else
		return 1
	return 0
}

# In the merged root, when all were admitted: of the extensions with a link that is no good the last one goes. Then the
# others are looked at anew.
function check_links(   path, worst, why, bad, i) {
	clear(type)
	for (path in over_type) {
		if (over_type[path] != "l" || over_target[path] == "/dev/null" || \
				type_at(path, "bare") == "l" && over_target[path] == root_target[path])
			continue
		why = replaced(path)
		if (why == "" || is_good_link(path))
			continue
		bad[path] = path " " why " and " leads_to
		if (worst == "" || turn[over_owner[path]] > turn[worst])
			worst = over_owner[path]
	}
	if (worst == "")
		return 0
	extension = worst
	load_extension()
	for (i = 1; i <= files; i++)
		if (order[i] in bad && over_owner[order[i]] == extension)
			refuse("merge.link", order[i], bad[order[i]])
	return 1
}

function tell_link(path) {
	if (target[path] == "/dev/null" || is_known_link(path) || refused_at[extension, "merge.link", path])
		return
	walk(path, "merged")
	if (end_type != "loop" && !is_inside(end) && replaced(path) == "")
		tell("links that lead out", path " leads to /" end ", outside of the merged hierarchies")
}

# ---- what is told ---------------------------------------------------------------------------------

# MODE/OWNER, as words, as far as the other side's differ.
function attribute(mine, other,   m, o) {
	split(mine, m, "/")
	split(other, o, "/")
	if (m[1] != o[1] && o[1] != "-")
		return sprintf("has mode %04d in the image and %04d in", m[1], o[1])
	if (m[2] != o[2] && m[2] != "-" && o[2] != "-")
		return "belongs to " m[2] " in the image and to " o[2] " in"
	return ""
}

function tell_attributes(path,   text) {
	if (path in root_attributes) {
		text = attribute(attributes[path], root_attributes[path])
		if (text != "")
			tell("directories of other modes", path " " text " " the_root "; merged, it has the root's")
	} else if (path in over_type && over_owner[path] != extension && over_type[path] == "d") {
		text = attribute(attributes[path], over_attributes[path])
		if (text != "")
			tell("directories of other modes", path " " text " the extension " name[over_owner[path]] "; merged, it has that extension's")
	}
	if (path in root_type && root_type[path] == "e")
		tell("places that differ between roots", path " is a directory in the image; some roots have a link there, " \
			"and the merge onto them refuses it: --host-root compares with one root")
}

function is_generated(path) {
	return basename(path) ~ /^(modules\.dep|modules\.dep\.bin|ld\.so\.cache|gschemas\.compiled|mime\.cache|hwdb\.bin)$/
}

# The topmost one hides all others.
function tell_hidden(path,   part, n, i) {
	if (over_owner[path] != extension)
		return
	n = split(owners[path], part, " ")
	for (i = n; i > 0; i--)
		if (part[i] != extension)
			tell("hidden files", path " hides that of the extension " name[part[i]])
	if (type_at(path, "bare") != "")
		tell("hidden files", path " hides that of " the_root)
}

function tell_mounts(path,   i) {
	for (i in mounted)
		if ((path != mounted[i] || type[path] != "d") && is_below(path, mounted[i]) && !told_mount[extension, mounted[i]]++)
			tell("below mounts", "/" mounted[i] " stays mounted, and hides what the image has there")
}

function tell_labels(   i) {
	for (i in hierarchies)
		if (("root " hierarchies[i]) in labelled && hierarchies[i] in type && !((extension " " hierarchies[i]) in labelled))
			tell("no labels", hierarchies[i] " has an SELinux label in the root and none in the image; build it with build-sysext --file-contexts")
}

# ---- an extension ---------------------------------------------------------------------------------

function check_known_problems(   file, line, at) {
	file = directory "/" extension ".problems"
	while ((getline line < file) > 0) {
		at = index(line, ": ")
		refuse(substr(line, 1, at - 1), line, substr(line, at + 2))
	}
	close(file)
}

function check_hierarchies(   i, n) {
	for (i in hierarchies) {
		if (!(hierarchies[i] in type))
			continue
		n++
		if (type[hierarchies[i]] != "d")
			refuse("merge.hierarchy", hierarchies[i], hierarchies[i] " is a " word(type[hierarchies[i]]) ", where an extension has a directory")
	}
	if (n == 0 && verdict[extension] == "accepted")
		tell("nothing to merge", class == "sysext" ? "has neither usr nor opt, so nothing is merged; for a confext say --type confext" : "has no etc, so nothing is merged")
	for (i in hierarchies)
		if ((hierarchies[i] "/.systemd-" class) in type)
			refuse("merge.marker", hierarchies[i], hierarchies[i] "/.systemd-" class " is the mark of a merged hierarchy; no extension may have it")
}

function check_files(   i, path, cut, part) {
	for (i = 1; i <= files; i++) {
		path = order[i]
		if (cut != "" && is_below(path, cut))
			continue
		cut = ""
		if (path in mount_at && type[path] == "l")
			refuse("merge.submount", path, path " is a link, and something is mounted there")
		else if (!check_type(path))
			cut = path
		check_protected(path)
		if (type[path] == "d" && split(path, part, "/") > 128)
			refuse("merge.tree", path, "more than 128 directories in each other")
	}
	if (files > 500000)
		refuse("merge.tree", "", files " files; the merge looks through 500000")
}

# A directory is as the lowest layer has it, a file as the topmost.
function admit(   i, path) {
	for (i = 1; i <= files; i++) {
		path = order[i]
		if (path in over_type && type[path] != "d" && !(type[path] == "l" && over_type[path] == "l" && target[path] == over_target[path]))
			others[path] = rank[extension] > over_rank[path] ? over_owner[path] : extension
		if (type[path] != "d" && is_generated(path))
			owners[path] = owners[path] " " extension
		if (path in over_type && (type[path] == "d") == (rank[extension] > over_rank[path]))
			continue
		over_type[path] = type[path]
		over_rank[path] = rank[extension]
		over_owner[path] = extension
		if (type[path] == "d")
			over_attributes[path] = attributes[path]
		else if (type[path] == "l")
			over_target[path] = target[path]
	}
}

function load_extension() {
	clear(type); clear(attributes); clear(target); clear(order)
	files = load(directory "/" extension, type, attributes, target, order)
}

function judge() {
	load_extension()
	verdict[extension] = "accepted"
	if (name[extension] in earlier)
		refuse("merge.duplicate", "", "an image of this name comes before it")
	earlier[name[extension]]
	check_known_problems()
	check_hierarchies()
	check_lacks()
	check_files()
	if (verdict[extension] == "accepted")
		admit()
}

function admit_again(   i) {
	clear(over_type); clear(over_rank); clear(over_owner); clear(over_attributes); clear(over_target)
	clear(others); clear(owners)
	for (i = 1; i <= count; i++) {
		extension = admitted[i]
		if (verdict[extension] == "refused")
			continue
		load_extension()
		admit()
	}
}

function tell_all(   i, path) {
	load_extension()
	for (i = 1; i <= files; i++) {
		path = order[i]
		if (type[path] == "d")
			tell_attributes(path)
		else if (type[path] == "l")
			tell_link(path)
		tell_mounts(path)
		if (verdict[extension] == "accepted" && type[path] != "d" && is_generated(path))
			tell_hidden(path)
	}
	tell_labels()
	tell_left_out()
}

# ---- the order ------------------------------------------------------------------------------------

function sign(a, b) {
	return (a > b) - (a < b)
}

# As plan_version_compare() has it, on what is left of the two in left and right.
function compare_mark(mark,   a, b) {
	a = substr(left, 1, 1) == mark
	b = substr(right, 1, 1) == mark
	if (a && b) {
		left = substr(left, 2)
		right = substr(right, 2)
	}
	return b - a
}

function run_of(text, pattern) {
	return match(text, pattern) ? substr(text, 1, RLENGTH) : ""
}

function compare_runs(pattern,   a, b, result) {
	a = run_of(left, pattern)
	b = run_of(right, pattern)
	left = substr(left, length(a) + 1)
	right = substr(right, length(b) + 1)
	if (pattern != DIGITS)
		return sign(a "", b "")
	if (a == "" || b == "")
		return (a != "") - (b != "")
	sub(/^0+/, "", a)
	sub(/^0+/, "", b)
	result = sign(length(a), length(b))
	return result != 0 ? result : sign(a "", b "")
}

function compare_versions(a, b,   i, result) {
	left = a
	right = b
	for (;;) {
		sub(/^[^0-9A-Za-z~^.-]+/, "", left)
		sub(/^[^0-9A-Za-z~^.-]+/, "", right)
		result = compare_mark("~")
		if (result == 0 && (left == "" || right == ""))
			return (left != "") - (right != "")
		for (i = 1; i <= 3 && result == 0; i++)
			result = compare_mark(substr("-^.", i, 1))
		if (result == 0)
			result = compare_runs(left ~ /^[0-9]/ || right ~ /^[0-9]/ ? DIGITS : LETTERS)
		if (result != 0)
			return result
	}
}

function is_older(a, b,   result) {
	result = compare_versions(name[a], name[b])
	return result != 0 ? result < 0 : name[a] "" < name[b] ""
}

# By precedence, oldest first, into sorted; by name those that came later stay later.
function sort_extensions(   i, at) {
	for (i = 1; i <= count; i++) {
		for (at = i; at > 1 && is_older(i, sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1]
		sorted[at] = i
	}
	for (i = 1; i <= count; i++)
		rank[sorted[i]] = i
}

# ---- all of it ------------------------------------------------------------------------------------

function load_lists(   file, line, part, i) {
	file = directory "/extensions"
	while ((getline line < file) > 0) {
		split(line, part, "\t")
		name[++count] = part[1]
		required[count] = part[2]
	}
	file = directory "/places"
	while ((getline line < file) > 0)
		place[substr(line, 1, index(line, " ") - 1)] = substr(line, index(line, " ") + 1)
	file = directory "/mounts"
	while ((getline line < file) > 0)
		if (is_below(line, "usr") || is_below(line, "opt") || is_below(line, "etc")) {
			mounted[++i] = line
			mount_at[line]
		}
	file = directory "/labels"
	while ((getline line < file) > 0)
		labelled[line]
}

function print_all(   i, j, k, bad) {
	for (k = 1; k <= count; k++) {
		i = admitted[k]
		for (j = 1; j <= said_count[i]; j++)
			print said[i, j]
		if (verdict[i] == "accepted")
			print "accepted " shown(name[i])
		else
			bad = 1
	}
	return bad + 0
}

BEGIN {
	LINES = 5
	ENTRIES = 1024 # of a protected directory, as in sys/protect.c
	DIGITS = "^[0-9]+"
	LETTERS = "^[A-Za-z]+"
	split("d directory e directory f file l link c device b device p pipe s socket", pair, " ")
	for (i = 1; i < 16; i += 2)
		words[pair[i]] = pair[i + 1]
	for (i = 0; i < 256; i++)
		byte[sprintf("%c", i)] = i
	directory = ENVIRON["CHECK_DIR"]
	class = ENVIRON["CHECK_TYPE"]
	known = ENVIRON["CHECK_ROOT"] == "known"
	the_root = known ? "the root" : "a usual root"
	split(class == "sysext" ? "usr opt" : "etc", hierarchies, " ")
	split(class == "sysext" ? "usr opt" : "usr opt etc", reached, " ")
	load_lists()
	load(directory "/root", root_type, root_attributes, root_target, unused)
	clear(unused)
	protect_all()
	sort_extensions()
	for (pass = 1; pass >= 0; pass--)
		for (i = 1; i <= count; i++)
			if (required[sorted[i]] == pass) {
				extension = sorted[i]
				admitted[++turns] = extension
				turn[extension] = turns
				judge()
			}
	while (check_links())
		admit_again()
	for (i = 1; i <= count; i++) {
		extension = admitted[i]
		tell_all()
	}
	exit print_all()
}
