/* SPDX-License-Identifier: Apache-2.0 */
/* core/config: what is read, and that a later source only ever tightens what the earlier ones leave. */
#include "core/config.h"
#include "test.h"

/* Large, and one of each is enough. */
static struct config config, asked;
static struct config_notes notes;

static struct verdict read_with(struct verdict (*parse)(const char *, size_t, struct config *,
							struct config_notes *),
				const char *bytes, size_t size)
{
	char *exact = exact_copy(bytes, size);
	struct verdict v = parse(exact, size, &asked, &notes);

	free(exact);
	return v;
}

static struct verdict read_file(const char *bytes)
{
	return read_with(config_parse, bytes, strlen(bytes));
}

static struct verdict read_baked(const char *bytes)
{
	return read_with(config_parse_baked, bytes, strlen(bytes));
}

static struct verdict read_line(const char *bytes)
{
	return read_with(config_parse_command_line, bytes, strlen(bytes));
}

static void set(const char *bytes)
{
	config_built_in(&config);
	assert_reason(read_baked(bytes), ACCEPTED);
	assert_true(config_set(&config, &asked));
}

/* The keys that were not followed wholly. */
static uint32_t tighten(const char *bytes)
{
	uint32_t weaker = UINT32_MAX;

	assert_reason(read_file(bytes), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	return weaker;
}

static const char *described(void)
{
	static char buffer[CONFIG_DESCRIBED_MAX];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	config_describe(&config, &text);
	assert_true(text_ok(&text));
	return buffer;
}

#define BUILT_IN_PATHS                                                               \
	"paths /etc/extensions /run/extensions /var/lib/extensions /.extra/sysext "  \
	"/.extra/global_sysext "                                                     \
	"/run/confexts /var/lib/confexts /usr/local/lib/confexts /usr/lib/confexts " \
	"/.extra/confext /.extra/global_confext"

/* ---- reading ------------------------------------------------------------------------------- */

static void has_a_built_in_configuration(void **state)
{
	(void)state;
	config_built_in(&config);
	assert_string_equal(described(),
			    "policy root=signed+absent usr=signed+absent, " BUILT_IN_PATHS);
	assert_reason(config_check(&config, CLASS_SYSEXT, "anything"), ACCEPTED);
	set("");
	assert_string_equal(described(),
			    "policy root=signed+absent usr=signed+absent, " BUILT_IN_PATHS);
}

static void reads_every_key(void **state)
{
	(void)state;
	set("# a comment\n"
	    "  \n"
	    "policy = usr=verity+signed:root=absent\n"
	    "required= a, b\t c \r\n"
	    "optional =d,,e\n"
	    "optional = f\n"
	    "on-failure = poweroff\n"
	    "corruption=panic\n"
	    "kernel_signature = require\n"
	    "filesystems = erofs\n"
	    "filesystems = erofs\n"
	    "paths = /usr/share/x/y\n"
	    "required = c a\n"
	    "paths = /.extra/sysext /usr/share/x/y\n"
	    " # another\n"
	    "foreign_merge = poweroff\n"
	    "classes = confext\n"
	    "user-certificates = yes");
	assert_string_equal(
		described(),
		"policy root=absent usr=verity+signed, filesystems erofs, required a b c, "
		"nothing but d e f a b c, on-failure poweroff, corruption panic, "
		"kernel-signature require, user-certificates yes, foreign-merge poweroff, "
		"classes confext, "
		"paths /usr/share/x/y /.extra/sysext");
	assert_int_equal(notes.unknown, 0);
	assert_int_equal(asked.stated, (1u << CONFIG_OFF) - 1);
	assert_reason(config_check(&config, CLASS_SYSEXT, "f"), ACCEPTED);
	assert_reason(config_check(&config, CLASS_SYSEXT, "b"), ACCEPTED);
	assert_reason(config_check(&config, CLASS_SYSEXT, "g"), POLICY_UNLISTED);
}

static void assert_bad_verdict(enum reason reason, struct verdict v, uint64_t at)
{
	assert_string_equal(reason_name(v.reason), reason_name(reason));
	assert_int_equal(v.at, at);
}

static void assert_bad(enum reason reason, const char *bytes, uint64_t at)
{
	assert_bad_verdict(reason, read_file(bytes), at);
}

static void says_what_is_wrong_and_where(void **state)
{
	(void)state;
	assert_bad(REASON_CONFIG_LINE, "paths = /a\nx", 11);
	assert_false(notes.has_key);
	assert_bad(REASON_CONFIG_LINE, "\n  required", 3);
	assert_bad(REASON_POLICY_FLAG, "policy = root=sign", 14);
	assert_true(notes.has_key);
	assert_int_equal(notes.key, CONFIG_POLICY);
	assert_bad(REASON_CONFIG_VALUE, "required = a /b", 13);
	assert_bad(REASON_CONFIG_VALUE, "optional = -a", 11);
	assert_bad(REASON_CONFIG_VALUE, "on-failure = Continue", 13);
	assert_bad(REASON_CONFIG_VALUE, "on-failure =", 12);
	assert_bad(REASON_CONFIG_VALUE, "corruption = ignore", 13);
	assert_bad(REASON_CONFIG_VALUE, "kernel-signature = yes", 19);
	assert_bad(REASON_CONFIG_VALUE, "filesystems = erofs ext4", 20);
	assert_bad(REASON_CONFIG_VALUE, "user-certificates = 1", 20);
	assert_bad(REASON_CONFIG_VALUE, "foreign-merge = continue", 16);
	assert_bad(REASON_CONFIG_TWICE, "foreign-merge = replace\nforeign-merge = replace", 40);
	assert_bad(REASON_CONFIG_TWICE, "corruption = panic\ncorruption = panic\n", 32);
	assert_bad(REASON_CONFIG_TWICE, "policy = *\npolicy = *\n", 20);
}

static void takes_ordinary_paths_only(void **state)
{
	static const char *const bad[] = { "paths = a/b",     "paths = /",     "paths = //a",
					   "paths = /a/",     "paths = /a//b", "paths = /a/../b",
					   "paths = /.",      "paths = /./a",  "paths = /a\\b",
					   "paths = /a /..b", "paths = /a:b" };
	char line[256] = "paths = /";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_reason(read_file(bad[i]), CONFIG_VALUE);
	memset(line + 9, 'n', VEXT_NAME_MAX);
	assert_reason(read_file(line), ACCEPTED);
	line[9 + VEXT_NAME_MAX] = 'n'; /* a component that is too long */
	assert_reason(read_file(line), CONFIG_VALUE);
	line[9 + 60] = '/';
	line[9 + 120] = '\0';
	memset(line + 9 + 61, 'n', CONFIG_PATH_MAX - 1 - 62);
	line[8 + CONFIG_PATH_MAX - 1] = '\0';
	assert_reason(read_file(line), ACCEPTED);
	assert_int_equal(strlen(asked.path[0]), CONFIG_PATH_MAX - 1);
	memcpy(line + 8 + CONFIG_PATH_MAX - 1, "n", 2);
	assert_reason(read_file(line), CONFIG_VALUE);
}

static void has_limits(void **state)
{
	static char bytes[CONFIG_SIZE_MAX + 1];
	char name[VEXT_NAME_MAX + 2];
	struct text text;

	(void)state;
	memset(bytes, '#', sizeof(bytes));
	assert_reason(read_with(config_parse, bytes, CONFIG_SIZE_MAX), ACCEPTED);
	assert_refused_at(read_with(config_parse, bytes, CONFIG_SIZE_MAX + 1), CONFIG_LIMIT,
			  CONFIG_SIZE_MAX);
	assert_reason(read_with(config_parse_command_line, bytes, CONFIG_SIZE_MAX), ACCEPTED);
	assert_refused_at(read_with(config_parse_command_line, bytes, CONFIG_SIZE_MAX + 1),
			  CONFIG_LIMIT, CONFIG_SIZE_MAX);
	memset(name, 'n', sizeof(name));
	name[VEXT_NAME_MAX + 1] = '\0';
	text_init(&text, bytes, sizeof(bytes));
	text_str(&text, "required = ");
	text_str(&text, name);
	assert_reason(read_file(bytes), CONFIG_VALUE);
	text_init(&text, bytes, sizeof(bytes));
	text_str(&text, "optional =");
	for (unsigned i = 0; i < CONFIG_NAMES_MAX; i++) {
		text_str(&text, " n");
		text_u64(&text, i);
	}
	text_str(&text, " n0");
	assert_reason(read_file(bytes), ACCEPTED);
	text_str(&text, " more");
	assert_refused_at(read_file(bytes), CONFIG_LIMIT, text.used - 4);
	text_init(&text, bytes, sizeof(bytes));
	text_str(&text, "paths =");
	for (unsigned i = 0; i < CONFIG_PATHS_MAX; i++) {
		text_str(&text, " /n");
		text_u64(&text, i);
	}
	text_str(&text, " /n0");
	assert_reason(read_file(bytes), ACCEPTED);
	text_str(&text, " /more");
	assert_refused_at(read_file(bytes), CONFIG_LIMIT, text.used - 5);
}

static void tells_unknown_keys(void **state)
{
	const char *bytes =
		"requires = x\npoli_y=y\na=\nb=\nc=\nd=\ne=\nf=\ng=\non-failure = emergency\noff=\n";

	(void)state;
	assert_reason(config_parse(bytes, strlen(bytes), &asked, &notes), ACCEPTED);
	assert_int_equal(notes.unknown, 10);
	assert_int_equal(notes.unknown_keys[0].size, 8);
	assert_memory_equal(notes.unknown_keys[0].bytes, "requires", 8);
	assert_memory_equal(notes.unknown_keys[7].bytes, "f", 1);
	assert_int_equal(asked.stated, 1u << CONFIG_ON_FAILURE);
}

static void takes_nul_for_nothing(void **state)
{
	(void)state;
	assert_reason(read_with(config_parse, "required = a\0b", 14), CONFIG_VALUE);
	assert_reason(read_with(config_parse, "policy = *\0", 11), POLICY_SYNTAX);
	assert_reason(read_with(config_parse, "paths = /a\0", 11), CONFIG_VALUE);
	assert_reason(read_with(config_parse, "\0", 1), CONFIG_LINE);
}

/* ---- classes ------------------------------------------------------------------------------- */

static void takes_classes_from_what_is_baked(void **state)
{
	(void)state;
	config_built_in(&config);
	assert_int_equal(config.classes, CLASSES_ALL);
	set("classes = sysext");
	assert_int_equal(config.classes, 1u << CLASS_SYSEXT);
	assert_true(config_has_class(&config, CLASS_SYSEXT));
	assert_false(config_has_class(&config, CLASS_CONFEXT));
	assert_non_null(strstr(described(), ", classes sysext, paths"));
	set("classes = confext\nclasses = sysext");
	assert_int_equal(config.classes, CLASSES_ALL);
	assert_null(strstr(described(), "classes"));
	assert_bad_verdict(REASON_CONFIG_VALUE, read_baked("classes ="), 9);
	assert_bad_verdict(REASON_CONFIG_VALUE, read_baked("classes = sysext\nclasses = , "), 27);
	assert_bad_verdict(REASON_CONFIG_VALUE, read_baked("classes = sysext portable"), 17);
	assert_bad_verdict(REASON_CONFIG_VALUE, read_baked("classes = Sysext"), 10);
	assert_true(notes.has_key);
	assert_int_equal(notes.key, CONFIG_CLASSES);
}

/* Whatever they say, also what is so already; and what else the source says of failures counts. */
static void refuses_classes_elsewhere(void **state)
{
	static const char *const lines[] = { "classes = sysext", "classes = sysext confext",
					     "classes =", "classes = x" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_bad(REASON_CONFIG_BAKED_ONLY, lines[i], 0);
	assert_refused_at(read_line("quiet vext.classes=sysext"), CONFIG_BAKED_ONLY, 11);
	set("classes = confext");
	assert_bad(REASON_CONFIG_BAKED_ONLY,
		   "required = a\n classes = sysext\non-failure = emergency\n"
		   "foreign-merge = poweroff",
		   14);
	assert_true(notes.has_key);
	assert_int_equal(notes.key, CONFIG_CLASSES);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_string_equal(described(),
			    "policy root=nothing usr=nothing, filesystems, required a, on-failure "
			    "emergency, foreign-merge poweroff, classes confext, " BUILT_IN_PATHS);
	assert_reason(read_file("x\nforeign-merge = replace"), CONFIG_LINE);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_int_equal(config.foreign_merge, FOREIGN_MERGE_POWEROFF);
}

/* A baked configuration that is refused leaves no class to anybody. */
static void gives_no_class_away_by_mistake(void **state)
{
	static char bytes[CONFIG_SIZE_MAX];
	struct text text;

	(void)state;
	config_built_in(&config);
	assert_reason(read_baked("classes = sysext\nx"), CONFIG_LINE);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_int_equal(config.classes, CLASSES_ALL);
	text_init(&text, bytes, sizeof(bytes));
	text_str(&text, "classes = sysext\noptional = more\nrequired =");
	for (unsigned i = 0; i < CONFIG_NAMES_MAX; i++) {
		text_str(&text, " n");
		text_u64(&text, i);
	}
	config_built_in(&config);
	assert_reason(read_baked(bytes), ACCEPTED);
	assert_false(config_set(&config, &asked));
	assert_int_equal(config.classes, CLASSES_ALL);
}

static bool allows(enum extension_class class, const char *name)
{
	return is_accepted(config_check(&config, class, name));
}

/* A confext stands for no sysext of its name, nor the other way round. */
static void tells_names_by_class(void **state)
{
	(void)state;
	set("required = docker confext:docker sysext:docker confext:net\noptional = sysext:tool "
	    "confext:only");
	assert_int_equal(config.required.count, 3);
	assert_non_null(strstr(described(), ", required docker confext:docker confext:net, "
					    "nothing but tool confext:only docker confext:docker "
					    "confext:net, paths"));
	assert_true(config_requires(&config, CLASS_SYSEXT, "docker"));
	assert_true(config_requires(&config, CLASS_CONFEXT, "docker"));
	assert_true(config_requires(&config, CLASS_CONFEXT, "net"));
	assert_false(config_requires(&config, CLASS_SYSEXT, "net"));
	assert_true(allows(CLASS_SYSEXT, "tool"));
	assert_false(allows(CLASS_CONFEXT, "tool"));
	assert_true(allows(CLASS_CONFEXT, "only"));
	assert_false(allows(CLASS_SYSEXT, "only"));
	assert_true(allows(CLASS_UNKNOWN, "only"));
	assert_false(allows(CLASS_UNKNOWN, "neither"));
	assert_int_equal(tighten("optional = only confext:tool docker"), 1u << CONFIG_OPTIONAL);
	assert_non_null(strstr(described(), ", nothing but docker confext:docker confext:net, p"));
}

static void refuses_names_without_a_class(void **state)
{
	(void)state;
	assert_bad(REASON_CONFIG_VALUE, "required = a portable:b", 13);
	assert_bad(REASON_CONFIG_VALUE, "required = Sysext:b", 11);
	assert_bad(REASON_CONFIG_VALUE, "required = :b", 11);
	assert_bad(REASON_CONFIG_VALUE, "optional = confext:", 11);
	assert_bad(REASON_CONFIG_VALUE, "optional = confext:sysext:b", 11);
	assert_bad(REASON_CONFIG_VALUE, "required = confext:/b", 11);
	assert_bad(REASON_CONFIG_VALUE, "paths = /confext:b", 8);
	assert_reason(read_line("vext.required=confext:b,sysext:b"), ACCEPTED);
	assert_int_equal(asked.required.list[0].class, CLASS_CONFEXT);
	assert_int_equal(asked.required.list[1].class, CLASS_SYSEXT);
}

static void is_killed(uint32_t classes, const char *line)
{
	assert_reason(read_line(line), ACCEPTED);
	assert_int_equal(asked.killed, classes);
}

static void knows_kill_switches(void **state)
{
	const uint32_t sysext = 1u << CLASS_SYSEXT, confext = 1u << CLASS_CONFEXT;

	(void)state;
	is_killed(sysext, "quiet systemd.sysext=0");
	is_killed(confext, "systemd.confext=no ro");
	is_killed(sysext | confext, "systemd.sysext=N systemd.confext=False");
	is_killed(sysext | confext, "systemd.sysext=f systemd.confext=OFF");
	is_killed(sysext, "\"systemd.sysext=0\"");
	is_killed(sysext, "systemd.sysext=\"off\"");
	is_killed(sysext, "systemd.sysext=0 systemd.sysext=1"); /* it only tightens */
	is_killed(sysext, "systemd.sysext=1 systemd.sysext=0");
	is_killed(0, "systemd.sysext=1 systemd.confext=yes");
	is_killed(0, "systemd.sysext systemd.confext=");
	is_killed(0, "systemd.sysext=00 systemd.confext=offf systemd.sysext=\x10");
	is_killed(0,
		  "systemd.sysexts=0 systemd.=0 systemd=0 xsystemd.sysext=0 rd.systemd.sysext=0");
	is_killed(0, "vext.sysext=0 sysext=0");
	assert_reason(read_file("systemd.sysext=0"), ACCEPTED); /* an unknown key */
	assert_int_equal(asked.killed, 0);
}

static void kills_for_good(void **state)
{
	uint32_t weaker;

	(void)state;
	config_built_in(&config);
	assert_reason(read_line("systemd.confext=0"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(weaker, 0);
	assert_int_equal(config_live_classes(&config), 1u << CLASS_SYSEXT);
	assert_true(config_has_class(&config, CLASS_CONFEXT));
	assert_non_null(strstr(described(), "absent, systemd.confext=0, paths"));
	assert_reason(read_line("systemd.confext=1"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(config.killed, 1u << CLASS_CONFEXT);
	assert_reason(read_line("vext systemd.sysext=0"), CONFIG_LINE);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_int_equal(config_live_classes(&config), 0);
	set("classes = sysext");
	assert_reason(read_line("systemd.confext=0"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(config.killed, 0); /* it is systemd's */
}

/* ---- the kernel command line --------------------------------------------------------------- */

static void reads_the_command_line(void **state)
{
	(void)state;
	assert_reason(read_line("root=/dev/sda vext.required=a,b quiet vext.on_failure=emergency "
				"vext.policy=usr=signed:root=absent vextra=1 vex vext2.policy=x\n"),
		      ACCEPTED);
	assert_int_equal(asked.stated,
			 1u << CONFIG_REQUIRED | 1u << CONFIG_ON_FAILURE | 1u << CONFIG_POLICY);
	assert_int_equal(asked.required.count, 2);
	assert_int_equal(notes.unknown, 0);
	assert_reason(read_line("vext=off"), ACCEPTED);
	assert_true(asked.off);
	assert_reason(read_line("vext=on vext.unknown=1 vext.off=1"), ACCEPTED);
	assert_false(asked.off);
	assert_int_equal(notes.unknown, 2);
	assert_reason(read_line("vext.required=a vext.required=b"), ACCEPTED);
	assert_int_equal(asked.required.count, 2);
}

static void knows_quotes(void **state)
{
	(void)state;
	assert_reason(
		read_line(
			"dyndbg=\"x vext=off vext.required\" vext.required=\"a b\" vext.optional=\"\""),
		ACCEPTED);
	assert_false(asked.off);
	assert_int_equal(asked.required.count, 2);
	assert_int_equal(asked.stated, 1u << CONFIG_REQUIRED | 1u << CONFIG_OPTIONAL);
	assert_reason(read_line("vext.required=\"a"), CONFIG_VALUE);
	assert_reason(read_line("vext.required=a\""), CONFIG_VALUE);
	assert_reason(read_line("vext.required=\""), CONFIG_VALUE);
	assert_refused_at(read_line("\"vext\""), CONFIG_LINE, 0);
}

/* As GRUB writes a word with a blank in it. */
static void knows_quotes_around_a_word(void **state)
{
	(void)state;
	assert_reason(read_line("\"vext.required=a b\" \"vext=off\" \"x=vext.optional= \" \"\" c"),
		      ACCEPTED);
	assert_true(asked.off);
	assert_int_equal(asked.required.count, 2);
	assert_string_equal(asked.required.list[1].name, "b");
	assert_int_equal(asked.stated, 1u << CONFIG_REQUIRED | 1u << CONFIG_OFF);
	assert_reason(read_line("quiet \""), ACCEPTED);
	assert_int_equal(asked.stated, 0);
	assert_reason(read_line("\"vext.required=a b"), ACCEPTED);
	assert_int_equal(asked.required.count, 2);
	assert_refused_at(read_line("\"vext.required=a\"b c"), CONFIG_VALUE, 15);
	assert_refused_at(read_line("quiet \"vext.required=a ../b\""), CONFIG_VALUE, 23);
}

static void refuses_bad_words(void **state)
{
	(void)state;
	assert_refused_at(read_line("quiet vext.policy"), CONFIG_LINE, 6);
	assert_false(notes.has_key);
	assert_refused_at(read_line("quiet vext"), CONFIG_LINE, 6);
	assert_refused_at(read_line("vext=maybe"), CONFIG_VALUE, 5);
	assert_true(notes.has_key);
	assert_int_equal(notes.key, CONFIG_OFF);
	assert_refused_at(read_line("vext=off vext=on"), CONFIG_TWICE, 14);
	assert_refused_at(read_line("vext.corruption=panic vext.corruption=io-error"), CONFIG_TWICE,
			  38);
}

/* ---- tightening ---------------------------------------------------------------------------- */

/* For each key: what is set, what is asked for, what comes of it, and whether that is less than asked. */
static void only_tightens(void **state)
{
	static const struct {
		enum config_key key;
		const char *set, *asked, *result; /* a part of the description */
		bool is_weaker;
	} cases[] = {
		{ CONFIG_POLICY, "", "policy = usr=verity+signed+absent", "usr=signed+absent",
		  true },
		{ CONFIG_POLICY, "", "policy = *", "policy root=signed+absent usr=signed+absent,",
		  true },
		{ CONFIG_POLICY, "policy = usr=verity+signed+absent", "policy = usr=signed+absent",
		  "usr=signed+absent", false },
		{ CONFIG_POLICY, "policy = usr=verity+absent", "policy = usr=signed+absent",
		  "usr=absent", true },
		{ CONFIG_POLICY, "policy = usr=verity", "policy = usr=signed", "usr=nothing",
		  true },
		{ CONFIG_FILESYSTEMS, "filesystems = erofs", "filesystems = erofs squashfs",
		  "filesystems erofs,", true },
		{ CONFIG_FILESYSTEMS, "", "filesystems = squashfs", "filesystems squashfs,",
		  false },
		{ CONFIG_FILESYSTEMS, "filesystems = erofs", "filesystems = squashfs",
		  "filesystems,", true },
		{ CONFIG_FILESYSTEMS, "", "filesystems =", "filesystems,", false },
		{ CONFIG_REQUIRED, "required = a", "required = b a", "required a b,", false },
		{ CONFIG_OPTIONAL, "optional = a b", "optional = b c", "nothing but b,", true },
		{ CONFIG_OPTIONAL, "", "optional = b c", "nothing but b c,", false },
		{ CONFIG_OPTIONAL, "optional =", "optional = a", "nothing but,", true },
		{ CONFIG_OPTIONAL, "required = a", "optional = b", "nothing but b a,", false },
		{ CONFIG_OPTIONAL, "optional = a", "required = b", "required b, nothing but a,",
		  false },
		{ CONFIG_OPTIONAL, "optional = a", "required = b\noptional = a", "nothing but a,",
		  true },
		{ CONFIG_ON_FAILURE, "on-failure = emergency", "on-failure = continue",
		  "on-failure emergency", true },
		{ CONFIG_ON_FAILURE, "on-failure = emergency", "on-failure = poweroff",
		  "on-failure poweroff", false },
		{ CONFIG_ON_FAILURE, "on-failure = poweroff", "on-failure = emergency",
		  "on-failure poweroff", true },
		{ CONFIG_ON_FAILURE, "on-failure = emergency", "on-failure = emergency",
		  "on-failure emergency", false },
		{ CONFIG_OPTIONAL, "optional = a b", "optional = b a", "nothing but", false },
		{ CONFIG_CORRUPTION, "corruption = restart", "corruption = restart",
		  "corruption restart", false },
		{ CONFIG_KERNEL_SIGNATURE, "kernel-signature = require",
		  "kernel-signature = require", "kernel-signature require", false },
		{ CONFIG_CORRUPTION, "corruption = restart", "corruption = io-error",
		  "corruption restart", true },
		{ CONFIG_CORRUPTION, "corruption = restart", "corruption = panic",
		  "corruption panic", false },
		{ CONFIG_KERNEL_SIGNATURE, "", "kernel-signature = off", ", paths", true },
		{ CONFIG_KERNEL_SIGNATURE, "", "kernel-signature = require",
		  "kernel-signature require", false },
		{ CONFIG_KERNEL_SIGNATURE, "kernel-signature = off", "kernel-signature = auto",
		  "absent, paths", false },
		{ CONFIG_PATHS, "", "paths = /var/lib/extensions /run/extensions",
		  "paths /run/extensions /var/lib/extensions", false },
		{ CONFIG_PATHS, "paths = /a /b", "paths = /b /c", "paths /b", true },
		{ CONFIG_USER_CERTIFICATES, "", "user-certificates = yes",
		  "usr=signed+absent, paths", true },
		{ CONFIG_USER_CERTIFICATES, "user-certificates = yes", "user-certificates = no",
		  "usr=signed+absent, paths", false },
		{ CONFIG_USER_CERTIFICATES, "user-certificates = yes", "user-certificates = yes",
		  "user-certificates yes", false },
		{ CONFIG_FOREIGN_MERGE, "", "foreign-merge = emergency", "foreign-merge emergency",
		  false },
		{ CONFIG_FOREIGN_MERGE, "foreign-merge = emergency", "foreign-merge = poweroff",
		  "foreign-merge poweroff", false },
		{ CONFIG_FOREIGN_MERGE, "foreign-merge = poweroff", "foreign-merge = emergency",
		  "foreign-merge poweroff", true },
		{ CONFIG_FOREIGN_MERGE, "foreign-merge = emergency", "foreign-merge = replace",
		  "foreign-merge emergency", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t weaker;

		set(cases[i].set);
		weaker = tighten(cases[i].asked);
		if (!strstr(described(), cases[i].result))
			assert_string_equal(described(), cases[i].result);
		assert_int_equal(weaker, cases[i].is_weaker ? 1u << cases[i].key : 0);
	}
}

static void does_not_look_behind_the_last_path(void **state)
{
	uint32_t weaker;

	(void)state;
	set("paths = /etc/extensions /run/extensions");
	assert_reason(read_file("paths = /etc/extensions /run/extensions"), ACCEPTED);
	asked.paths = 1;
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(config.paths, 1);
}

static void cannot_be_switched_on_again(void **state)
{
	uint32_t weaker;

	(void)state;
	config_built_in(&config);
	assert_reason(read_line("vext=on"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_false(config.off);
	assert_reason(read_line("vext=off"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(weaker, 0);
	assert_non_null(strstr(described(), "absent, off, paths"));
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(weaker, 0);
	assert_reason(read_line("vext=on"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_int_equal(weaker, 1u << CONFIG_OFF);
	assert_true(config.off);
}

static void counts_names_of_all_sources(void **state)
{
	static char bytes[CONFIG_SIZE_MAX];
	struct text text;
	uint32_t weaker;

	(void)state;
	text_init(&text, bytes, sizeof(bytes));
	text_str(&text, "required =");
	for (unsigned i = 0; i < CONFIG_NAMES_MAX; i++) {
		text_str(&text, " n");
		text_u64(&text, i);
	}
	set(bytes);
	assert_reason(read_file("required = n5"), ACCEPTED);
	assert_true(config_tighten(&config, &asked, &weaker));
	assert_reason(read_file("required = more"), ACCEPTED);
	assert_false(config_tighten(&config, &asked, &weaker));
	assert_reason(read_file("optional = more"), ACCEPTED);
	assert_false(config_tighten(&config, &asked, &weaker));
	text_str(&text, "\noptional = more");
	assert_reason(read_file(bytes), ACCEPTED);
	assert_false(config_set(&config, &asked));
}

/* Once denied nothing is taken, whatever comes then. */
static void denies_for_good(void **state)
{
	static const struct demands nothing;

	(void)state;
	set("policy = *");
	config_deny(&config, REASON_POLICY_CONFIGURATION);
	config_deny(&config, REASON_SIGNATURE_SECTION);
	assert_reason(config_check(&config, CLASS_SYSEXT, "a"), POLICY_CONFIGURATION);
	tighten("policy = *\nfilesystems = erofs");
	assert_memory_equal(&config.demands, &nothing, sizeof(nothing));
	assert_reason(config_check(&config, CLASS_SYSEXT, "a"), POLICY_CONFIGURATION);
	assert_non_null(strstr(described(), "policy root=nothing usr=nothing, filesystems,"));
}

/* What a source requires is required although another line of it is refused; what is told is the first refusal. */
static void requires_by_a_refused_source(void **state)
{
	(void)state;
	set("required = a\non-failure = emergency");
	assert_refused_at(read_file("required = b ../c\npolicy = x\non-failure = poweroff\n"
				    "optional = b\nrequired = d"),
			  CONFIG_VALUE, 13);
	assert_true(notes.has_key);
	assert_int_equal(notes.key, CONFIG_REQUIRED);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_reason(config_check(&config, CLASS_SYSEXT, "b"), POLICY_CONFIGURATION);
	assert_non_null(strstr(described(), ", required a b d, on-failure poweroff,"));
	assert_reason(read_line("x vext=of vext.on-failure=continue vext.required=e"),
		      CONFIG_VALUE);
	assert_int_equal(notes.key, CONFIG_OFF);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_non_null(strstr(described(), ", required a b d e, on-failure poweroff,"));
	assert_reason(read_line("vext.on-failure=no"), CONFIG_VALUE);
	config_deny_asked(&config, REASON_POLICY_CONFIGURATION, &asked);
	assert_int_equal(config.on_failure, ON_FAILURE_POWEROFF);
	assert_reason(read_line("vext vext.on-failure=no"), CONFIG_LINE);
	assert_false(notes.has_key);
}

static void has_names_for_all(void **state)
{
	(void)state;
	assert_string_equal(config_key_name(CONFIG_POLICY), "policy");
	assert_string_equal(config_key_name(CONFIG_OFF), "off");
	assert_string_equal(on_failure_name(ON_FAILURE_CONTINUE), "continue");
	assert_string_equal(on_failure_name(ON_FAILURE_POWEROFF), "poweroff");
	assert_string_equal(foreign_merge_name(FOREIGN_MERGE_REPLACE), "replace");
	assert_string_equal(foreign_merge_name(FOREIGN_MERGE_POWEROFF), "poweroff");
}

/* Random sources, one after the other: never more than before, in any respect. */
static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

static void put_list(struct text *text, const char *key, const char *const words[], uint32_t count)
{
	text_str(text, key);
	for (uint32_t i = 0; i < count; i++) {
		if (random_below(2) == 0) {
			text_char(text, ' ');
			text_str(text, words[i]);
		}
	}
	text_char(text, '\n');
}

static void put_one(struct text *text, const char *key, const char *const words[], uint32_t count)
{
	text_str(text, key);
	text_str(text, words[random_below(count)]);
	text_char(text, '\n');
}

static const char *random_source(void)
{
	static const char *const policies[] = { "*",
						"-",
						"~",
						POLICY_DEFAULT,
						"usr=verity+signed:root=absent",
						"root=verity:usr=verity+read-only-on",
						"=signed" };
	static const char *const names[] = { "a", "b", "c" };
	static const char *const paths[] = { "/a", "/b", "/etc/extensions" };
	static const char *const filesystems[] = { "erofs", "squashfs" };
	static const char *const failures[] = { "continue", "emergency", "poweroff" };
	static const char *const corruptions[] = { "io-error", "restart", "panic" };
	static const char *const signatures[] = { "off", "auto", "require" };
	static const char *const answers[] = { "yes", "no" };
	static const char *const merges[] = { "replace", "emergency", "poweroff" };
	static char bytes[1024];
	struct text text;

	text_init(&text, bytes, sizeof(bytes));
#define PERHAPS(put, key, words)                              \
	do {                                                  \
		if (random_below(2) == 0)                     \
			put(&text, key, words, COUNT(words)); \
	} while (0)
	PERHAPS(put_one, "policy=", policies);
	PERHAPS(put_list, "required=", names);
	PERHAPS(put_list, "optional=", names);
	PERHAPS(put_list, "paths=", paths);
	PERHAPS(put_list, "filesystems=", filesystems);
	PERHAPS(put_one, "on-failure=", failures);
	PERHAPS(put_one, "corruption=", corruptions);
	PERHAPS(put_one, "kernel-signature=", signatures);
	PERHAPS(put_one, "user-certificates=", answers);
	PERHAPS(put_one, "foreign-merge=", merges);
	return bytes;
}

static int rank(enum kernel_signature signature)
{
	return signature == KERNEL_SIGNATURE_OFF ? 0 : signature == KERNEL_SIGNATURE_AUTO ? 1 : 2;
}

static void assert_no_laxer_than(const struct config *before)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	assert_true(demands_imply(&config.demands, &before->demands));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_true(!is_accepted(config_check(&config, CLASS_SYSEXT, names[i])) ||
			    is_accepted(config_check(before, CLASS_SYSEXT, names[i])));
	for (uint32_t i = 0; i < before->required.count; i++)
		assert_string_equal(config.required.list[i].name, before->required.list[i].name);
	assert_true(config.required.count >= before->required.count);
	assert_true(config.on_failure >= before->on_failure);
	assert_true(config.corruption >= before->corruption);
	assert_true(rank(config.kernel_signature) >= rank(before->kernel_signature));
	assert_true(before->user_certificates || !config.user_certificates);
	assert_true(config.foreign_merge >= before->foreign_merge);
	assert_int_equal(config.classes, before->classes);
	assert_true(before->off <= config.off);
	for (uint32_t i = 0, j = 0; i < config.paths; i++, j++) { /* some of them, in their order */
		while (j < before->paths && strcmp(config.path[i], before->path[j]) != 0)
			j++;
		assert_true(j < before->paths);
	}
}

static void random_sources_only_tighten(void **state)
{
	static struct config before;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		set(random_source());
		for (int j = 0; j < 3; j++) {
			before = config;
			tighten(random_source());
			assert_no_laxer_than(&before);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_built_in_configuration),
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_ordinary_paths_only),
		cmocka_unit_test(has_limits),
		cmocka_unit_test(tells_unknown_keys),
		cmocka_unit_test(takes_nul_for_nothing),
		cmocka_unit_test(takes_classes_from_what_is_baked),
		cmocka_unit_test(refuses_classes_elsewhere),
		cmocka_unit_test(gives_no_class_away_by_mistake),
		cmocka_unit_test(tells_names_by_class),
		cmocka_unit_test(refuses_names_without_a_class),
		cmocka_unit_test(knows_kill_switches),
		cmocka_unit_test(kills_for_good),
		cmocka_unit_test(reads_the_command_line),
		cmocka_unit_test(knows_quotes),
		cmocka_unit_test(knows_quotes_around_a_word),
		cmocka_unit_test(refuses_bad_words),
		cmocka_unit_test(only_tightens),
		cmocka_unit_test(does_not_look_behind_the_last_path),
		cmocka_unit_test(cannot_be_switched_on_again),
		cmocka_unit_test(counts_names_of_all_sources),
		cmocka_unit_test(denies_for_good),
		cmocka_unit_test(requires_by_a_refused_source),
		cmocka_unit_test(has_names_for_all),
		cmocka_unit_test(random_sources_only_tighten),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
