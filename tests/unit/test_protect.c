/* SPDX-License-Identifier: Apache-2.0 */
/* sys/protect: the places on the way to a protected path, by what an image may have there. */
#include "scene.h"

/* What an image of one entry gets; each is compared for itself. */
static void assert_alone(struct scene *scene, const char *entry, const char *reason,
			 const char *detail)
{
	const struct tree tree = { .fd = (enter_stage(scene), scene->stage.tree) };
	const uint32_t layer = (uint32_t)scene->count;
	struct verdict v;
	char above[16];

	snprintf(above, sizeof(above), "%u/", layer);
	grow_one(&tree, above, entry);
	know_layer(scene, layer);
	v = admit(scene, layer);
	if (strcmp(reason_name(v.reason), reason) != 0)
		print_message("%s: %s\n", entry, scene->detail);
	assert_string_equal(reason_name(v.reason), reason);
	assert_string_equal(scene->detail, detail);
	fit_free(&scene->fit);
	scene->fit = (struct fit){ .stage = &scene->stage, .layers = scene->layers };
}

#define GOOD "accepted", ""
#define refused(reason, detail) reason, detail

/* How many rules there are for a place. */
static unsigned count_rules(const struct protect *protect, enum place_kind kind,
			    enum hierarchy hierarchy, const char *path)
{
	unsigned count = 0;

	for (size_t i = 0; i < protect->count; i++)
		count += protect->rules[i].kind == kind &&
			 protect->rules[i].hierarchy == hierarchy &&
			 strcmp(protect->rules[i].path, path) == 0;
	return count;
}

/* ---- files --------------------------------------------------------------------------------- */

static void protects_every_link_on_the_way(void **state)
{
	struct scene *scene = *state;
	struct protect protect = { 0 };

	need_root(scene);
	root_has(scene, "sbin -> usr/sbin", "usr/sbin -> bin", "usr/lib/systemd/systemd",
		 "usr/bin/init -> ../lib/systemd/systemd", "usr/bin/tool");
	assert_alone(scene, "usr/bin/init",
		     refused("merge.init", "usr/bin/init is a file in the image"));
	assert_alone(scene, "usr/bin/init -> tool",
		     refused("merge.init", "usr/bin/init is a link in the image"));
	assert_alone(scene, "usr/bin/init -> ../lib/systemd/systemd", GOOD);
	assert_alone(scene, "usr/lib/systemd/systemd",
		     refused("merge.init", "usr/lib/systemd/systemd is a file in the image"));
	assert_alone(scene, "usr/lib/systemd/systemd|",
		     refused("merge.init",
			     "usr/lib/systemd/systemd is a device or socket in the image"));
	assert_alone(scene, "usr/sbin -> bin", GOOD);
	assert_alone(scene, "usr/sbin -> /usr/bin",
		     refused("merge.init", "usr/sbin is a link in the image"));
	assert_alone(scene, "usr/sbin", refused("merge.init", "usr/sbin is a file in the image"));
	assert_alone(scene, "usr/sbin/init",
		     refused("merge.type",
			     "usr/sbin is a directory in the image and a link in the root"));
	assert_alone(scene, "usr/lib/systemd -> ../../var/lib/x",
		     refused("merge.type",
			     "usr/lib/systemd is a link in the image and a directory in the root"));
	assert_alone(scene, "usr/lib/systemd/other", GOOD);
	assert_alone(scene, "usr/bin/tool", GOOD);
	assert_reason(protect_read(&scene->stage, &protect), ACCEPTED);
	/* Once, however many paths lead over it. */
	assert_int_equal(count_rules(&protect, PLACE_FIXED, HIERARCHY_USR, "sbin"), 1);
	assert_int_equal(count_rules(&protect, PLACE_FIXED, HIERARCHY_USR, "lib/systemd/systemd"),
			 1);
	protect_free(&protect);
	assert_int_equal(protect.count, 0);
}

/* Absolute ones begin at the root; what lies in another hierarchy is protected there. */
static void protects_the_way_through_other_hierarchies(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "sbin/init -> /etc/alternatives/init",
		 "etc/alternatives/init -> ../../opt/init/run",
		 "opt/init/run -> /usr/share/systemd", "usr/share/systemd", "var/x");
	assert_alone(scene, "etc/alternatives/init",
		     refused("merge.init", "etc/alternatives/init is a file in the image"));
	assert_alone(scene, "etc/alternatives/other", GOOD);
	assert_alone(scene, "opt/init/run -> /usr/share/systemd", GOOD);
	assert_alone(scene, "opt/init/run -> ../../usr/share/systemd",
		     refused("merge.init", "opt/init/run is a link in the image"));
	assert_alone(scene, "opt/init/other", GOOD);
	assert_alone(scene, "usr/share/systemd",
		     refused("merge.init", "usr/share/systemd is a file in the image"));
}

static void follows_dots(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "opt/a/b/", "opt/c/init", "usr/lib/",
		 "sbin/init -> ../../../opt//a/./b/../../c//init",
		 /* Nobody has these; each part on the way could become an image's. */
		 "usr/bin/init -> ./../lib/no/./such/./init", "usr/sbin/init -> ../no/../lib/init",
		 "usr/lib/systemd/system-generators -> ../../none/../share");
	assert_alone(scene, "opt/c/init",
		     refused("merge.init", "opt/c/init is a file in the image"));
	assert_alone(scene, "opt/a/b/init", GOOD);
	assert_alone(scene, "usr/lib/no/such/init",
		     refused("merge.init", "usr/lib/no/such/init is a file in the image"));
	assert_alone(scene, "usr/lib/no/such -> ../..",
		     refused("merge.init", "usr/lib/no/such is a link in the image"));
	assert_alone(scene, "usr/lib/no",
		     refused("merge.init", "usr/lib/no is a file in the image"));
	assert_alone(scene, "usr/lib/no/such/other", GOOD);
	assert_alone(scene, "usr/no/", refused("merge.init", "usr/no is a directory in the image"));
}

/* As the kernel: it gives up after 40. */
static void ends_in_rings(void **state)
{
	struct scene *scene = *state;
	char link[64];

	need_root(scene);
	root_has(scene, "usr/lib/systemd/systemd -> systemd", "usr/bin/init -> ../sbin/init",
		 "usr/sbin/init -> ../bin/init", "sbin/init -> /usr/chain/0");
	for (unsigned i = 0; i < 60; i++) {
		snprintf(link, sizeof(link), "usr/chain/%u -> %u", i, i + 1);
		root_has(scene, link);
	}
	assert_alone(scene, "usr/lib/systemd/systemd",
		     refused("merge.init", "usr/lib/systemd/systemd is a file in the image"));
	assert_alone(scene, "usr/sbin/init",
		     refused("merge.init", "usr/sbin/init is a file in the image"));
	assert_alone(scene, "usr/chain/39",
		     refused("merge.init", "usr/chain/39 is a file in the image"));
	assert_alone(scene, "usr/chain/41", GOOD);
}

/* A name that the root could not have, and a link that leads through a file. */
static void ends_where_the_root_has_nothing(void **state)
{
	struct scene *scene = *state;
	struct protect protect = { 0 };
	char link[5000] = "sbin/init -> /", *at = link + strlen(link);

	need_root(scene);
	root_has(scene, "usr/bin/init -> tool/init", "usr/bin/tool", "sbin/");
	for (size_t i = 0; i < 255; i++)
		at += snprintf(at, 20, "usr/opt/lib/abc/");
	assert_int_equal(symlinkat(link + strlen("sbin/init -> "), scene->root->fd, "sbin/init"),
			 0);
	assert_alone(scene, "usr/bin/tool",
		     refused("merge.init", "usr/bin/tool is a file in the image"));
	assert_reason(protect_read(&scene->stage, &protect), ACCEPTED);
	protect_free(&protect);
}

static void protects_what_the_root_lacks(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/");
	assert_alone(scene, "usr/lib/systemd/systemd-executor",
		     refused("merge.protected",
			     "usr/lib/systemd/systemd-executor is a file in the image"));
	assert_alone(scene, "usr/lib/systemd/systemd/",
		     refused("merge.init", "usr/lib/systemd/systemd is a directory in the image"));
	assert_alone(scene, "usr/lib/systemd -> ../share/systemd",
		     refused("merge.init", "usr/lib/systemd is a link in the image"));
	assert_alone(scene, "usr/lib/systemd",
		     refused("merge.init", "usr/lib/systemd is a file in the image"));
	assert_alone(scene, "usr/lib/systemd/system/a.service", GOOD);
	assert_alone(scene, "usr/sbin -> bin",
		     refused("merge.init", "usr/sbin is a link in the image"));
	assert_alone(scene, "usr/sbin/tool", GOOD);
	assert_alone(scene, "usr/local -> share",
		     refused("merge.protected", "usr/local is a link in the image"));
	assert_alone(scene, "usr/local/bin/tool", GOOD);
	assert_alone(scene, "usr/lib/verity.d",
		     refused("merge.trust", "usr/lib/verity.d is a file in the image"));
	assert_alone(scene, "usr/lib64/libc.so.6",
		     refused("merge.protected", "usr/lib64/libc.so.6 is a file in the image"));
}

/* Of what there is no directory in the root, two images meet in it all the same. */
static void protects_places_that_only_images_have(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	layer_has(scene, A, "usr/lib/systemd/system/a.service/");
	layer_has(scene, B, "usr/lib/systemd/system/a.service");
	layer_has(scene, C, "usr/lib/systemd/systemd");
	admits(scene, B);
	refuses(scene, A, MERGE_TYPE,
		"usr/lib/systemd/system/a.service is a directory in the image and a file in the "
		"extension b");
	refuses(scene, C, MERGE_INIT, "usr/lib/systemd/systemd is a file in the image");
}

/* ---- os-release ---------------------------------------------------------------------------- */

static void protects_os_release(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/os-release", "etc/os-release -> ../usr/lib/os-release");
	assert_alone(scene, "etc/os-release -> ../usr/lib/os-release", GOOD);
	assert_alone(scene, "etc/os-release -> /usr/lib/os-release",
		     refused("merge.os-release", "etc/os-release is a link in the image"));
	assert_alone(scene, "etc/os-release",
		     refused("merge.os-release", "etc/os-release is a file in the image"));
	assert_alone(scene, "etc/initrd-release -> ../usr/lib/os-release",
		     refused("merge.os-release", "etc/initrd-release is a link in the image"));
	assert_alone(scene, "etc/sub/os-release", GOOD);
	assert_alone(scene, "usr/lib/os-release -> ../../usr/lib/os-release",
		     refused("merge.os-release", "usr/lib/os-release is a link in the image"));
	assert_alone(scene, "usr/lib/os-release",
		     refused("merge.os-release", "usr/lib/os-release is a file in the image"));
	assert_alone(scene, "opt/os-release", refused("merge.hierarchy", ""));
}

static void takes_the_usual_link_where_it_changes_nothing(void **state)
{
	static const char usual[] = "etc/os-release -> ../usr/lib/os-release";
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/os-release", "usr/share/os-release", "etc/");
	assert_alone(scene, usual, GOOD);
	assert_int_equal(symlinkat("/usr/lib/os-release", scene->root->fd, "etc/os-release"), 0);
	assert_alone(scene, usual, GOOD);
	assert_int_equal(unlinkat(scene->root->fd, "etc/os-release", 0), 0);
	root_has(scene, "etc/os-release -> ../usr/share/os-release");
	assert_alone(scene, usual,
		     refused("merge.os-release", "etc/os-release is a link in the image"));
	assert_int_equal(unlinkat(scene->root->fd, "etc/os-release", 0), 0);
	root_has(scene, "etc/os-release");
	assert_alone(scene, usual,
		     refused("merge.os-release", "etc/os-release is a link in the image"));
}

/* ---- directories --------------------------------------------------------------------------- */

#define GENERATORS "usr/lib/systemd/system-generators"

/* What is in it is protected, wherever it leads; there may be more. */
static void protects_generators(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, GENERATORS "/a", GENERATORS "/b -> ../generator-b", GENERATORS "/new\nline",
		 "usr/lib/systemd/generator-b", GENERATORS "/masked -> /dev/null",
		 GENERATORS "/directory/x");
	assert_alone(scene, GENERATORS "/a",
		     refused("merge.protected", GENERATORS "/a is a file in the image"));
	assert_alone(scene, GENERATORS "/new\nline",
		     refused("merge.protected", GENERATORS "/new\nline is a file in the image"));
	assert_alone(scene, GENERATORS "/masked",
		     refused("merge.protected", GENERATORS "/masked is a file in the image"));
	assert_alone(scene, GENERATORS "/b -> a",
		     refused("merge.protected", GENERATORS "/b is a link in the image"));
	assert_alone(scene, GENERATORS "/b -> ../generator-b", GOOD);
	assert_alone(
		scene, "usr/lib/systemd/generator-b",
		refused("merge.protected", "usr/lib/systemd/generator-b is a file in the image"));
	assert_alone(scene, GENERATORS "/c", GOOD);
	assert_alone(scene, GENERATORS "/c/d", GOOD);
	assert_alone(scene, GENERATORS,
		     refused("merge.type",
			     GENERATORS " is a file in the image and a directory in the root"));
}

static void protects_generators_where_a_link_leads(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, GENERATORS " -> /usr/share/generators", "usr/share/generators/a");
	assert_alone(scene, "usr/share/generators/a",
		     refused("merge.protected", "usr/share/generators/a is a file in the image"));
	assert_alone(scene, "usr/share/generators/b", GOOD);
	assert_alone(scene, GENERATORS " -> ../../share/generators",
		     refused("merge.protected", GENERATORS " is a link in the image"));
}

/* A link that is added there is looked at although it replaces nothing; in directories that the root lacks, too. */
static void links_in_a_guarded_directory_must_lead_inside(void **state)
{
	struct scene *scene = *state;
	uint32_t layer = SCENE_LAYERS;

	need_root(scene);
	root_has(scene, GENERATORS "/", "usr/bin/tool", "etc/systemd/", "var/x");
	layer_has(scene, A, GENERATORS "/inside -> ../../../bin/tool",
		  "usr/lib/elsewhere -> /var/x", GENERATORS "/deep/er -> /var/x",
		  GENERATORS "/masked -> /dev/null");
	assert_reason(check_links(scene, &layer), ACCEPTED);
	memset(scene->layers[A].has, 0, sizeof(scene->layers[A].has));
	layer_has(scene, B, GENERATORS "/outside -> /var/x");
	admits(scene, B);
	layer_has(scene, C, "etc/systemd/system-generators/outside -> ../../../var/x");
	admits(scene, C);
	/* The one that was admitted last goes first. */
	for (uint32_t i = C; i >= B; i--) {
		assert_reason(check_links_again(scene, &layer), MERGE_LINK);
		assert_int_equal(layer, i);
		assert_string_equal(
			scene->detail,
			i == B ?
				GENERATORS "/outside is a link to /var/x" :
				"etc/systemd/system-generators/outside is a link to ../../../var/x");
		memset(scene->layers[i].has, 0, sizeof(scene->layers[i].has));
	}
}

/* A bad link there is bad with nothing below it, too: not the image that it hides has to go. */
static void whose_link_is_bad_in_a_guarded_directory_goes(void **state)
{
	struct scene *scene = *state;
	uint32_t layer;

	need_root(scene);
	root_has(scene, GENERATORS "/", "var/x");
	layer_has(scene, A, GENERATORS "/x -> /var/x");
	layer_has(scene, B, GENERATORS "/x");
	admits(scene, A);
	admits(scene, B);
	assert_reason(check_links_again(scene, &layer), MERGE_LINK);
	assert_int_equal(layer, A);
	assert_string_equal(scene->detail, GENERATORS "/x is a link to /var/x");
}

/* Nobody adds a certificate, wherever they are. */
static void closes_directories_of_certificates(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/verity.d -> ../share/certificates",
		 "usr/share/certificates/own.crt", "etc/verity.d/own.crt");
	assert_alone(scene, "usr/share/certificates/x.crt",
		     refused("merge.trust", "usr/share/certificates is a directory in the image"));
	assert_alone(scene, "usr/share/certificates/",
		     refused("merge.trust", "usr/share/certificates is a directory in the image"));
	assert_alone(scene, "usr/lib/verity.d -> ../share/certificates", GOOD);
	assert_alone(scene, "usr/share/other/x.crt", GOOD);
	assert_alone(scene, "etc/verity.d/x.crt",
		     refused("merge.trust", "etc/verity.d is a directory in the image"));
}

static void closes_directories_that_the_root_lacks(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib64/", "etc/");
	assert_alone(scene, "usr/lib/verity.d/x.crt",
		     refused("merge.trust", "usr/lib/verity.d is a directory in the image"));
	assert_alone(scene, "usr/lib64/glibc-hwcaps/x86-64-v3/libc.so.6",
		     refused("merge.protected", "usr/lib64/glibc-hwcaps/x86-64-v3/libc.so.6 is a "
						"file in the image"));
	assert_alone(scene, "usr/lib64/glibc-hwcaps/x86-64-v3/libz.so.1", GOOD);
	assert_alone(scene, "etc/ld.so.preload",
		     refused("merge.protected", "etc/ld.so.preload is a file in the image"));
}

/* Whoever can write /etc can have it so, and must not keep images from being merged. */
static void a_link_that_is_too_long_leads_nowhere(void **state)
{
	struct scene *scene = *state;
	char target[300];
	const char *path;

	need_root(scene);
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	root_has(scene, "etc/", "usr/");
	tree_link(scene->root, "etc/init", target);
	layer_has(scene, A, "usr/file");
	admits(scene, A);
	assert_reason(protect_check(scene->stage.root, scene->stage.root, &path), ACCEPTED);
	layer_has(scene, B, "etc/init");
	refuses(scene, B, MERGE_INIT, "etc/init is a file in the image");
}

/* ---- all together -------------------------------------------------------------------------- */

/* Two roots that lead to the same ends, and then not. */
static void compares_where_paths_end(void **state)
{
	struct scene *scene = *state;
	struct tree *bare, *merged;
	const char *path = NULL;
	char end[256];

	need_root(scene);
	bare = tree_make();
	merged = tree_make();
	grow_one(bare, "", "usr/lib/systemd/systemd");
	grow_one(bare, "", "sbin/init -> ../usr/lib/systemd/systemd");
	grow_one(merged, "", "usr/lib/systemd/systemd");
	grow_one(merged, "", "sbin/init -> /usr/lib/systemd/systemd");
	grow_one(merged, "", "usr/lib/os-release");
	assert_reason(protect_check(bare->fd, merged->fd, &path), ACCEPTED);
	assert_true(protect_end(merged->fd, "sbin/init", end, sizeof(end)));
	assert_string_equal(end, "/usr/lib/systemd/systemd");
	assert_true(protect_end(merged->fd, "/", end, sizeof(end)));
	assert_string_equal(end, "/");
	assert_false(protect_end(merged->fd, "sbin/none", end, sizeof(end)));
	assert_false(protect_end(merged->fd, "sbin/init", end, 10));
	assert_int_equal(unlinkat(merged->fd, "sbin/init", 0), 0);
	grow_one(merged, "", "sbin/init -> ../usr/lib/os-release");
	assert_reason(protect_check(bare->fd, merged->fd, &path), MERGE_PROTECTED);
	assert_string_equal(path, "sbin/init");
	assert_int_equal(unlinkat(merged->fd, "sbin/init", 0), 0);
	assert_reason(protect_check(bare->fd, merged->fd, &path), MERGE_PROTECTED);
	assert_string_equal(path, "sbin/init");
	tree_remove(bare);
	tree_remove(merged);
}

static void rules_are_found_by_directory(void **state)
{
	struct scene *scene = *state;
	struct protect protect = { 0 };
	const struct place_rule *rule;
	size_t at = 0;
	unsigned count = 0;

	need_root(scene);
	root_has(scene, "usr/lib/systemd/systemd", "usr/lib/systemdx", "usr/local/");
	mount_on(scene, "usr/local");
	enter_stage(scene);
	assert_reason(protect_read(&scene->stage, &protect), ACCEPTED);
	while ((rule = protect_next(&protect, HIERARCHY_USR, "lib/systemd", &at)) != NULL) {
		assert_memory_equal(rule->path, "lib/systemd/", 12);
		assert_null(strchr(rule->path + 12, '/'));
		count++;
	}
	/* systemd, its executor, two kinds of generators, glibc-hwcaps */
	assert_int_equal(count, 5);
	at = 0;
	assert_null(protect_next(&protect, HIERARCHY_USR, "lib/system", &at));
	at = 0;
	assert_null(protect_next(&protect, HIERARCHY_OPT, "", &at));
	assert_int_equal(count_rules(&protect, PLACE_MOUNT, HIERARCHY_USR, "local"), 1);
	protect_free(&protect);
}

/* Without /proc nobody knows where the hierarchies are: no rules would not be enough. */
static void wants_to_know_where_the_hierarchies_are(void **state)
{
	struct scene *scene = *state;
	struct protect protect = { 0 };
	const char *path;

	need_root(scene);
	root_has(scene, "usr/lib/systemd/systemd");
	enter_stage(scene);
	assert_int_equal(sys_mount("hidden", "/proc", "tmpfs", 0, NULL), 0);
	assert_reason(protect_read(&scene->stage, &protect), SYSTEM_READ);
	assert_reason(protect_check(scene->stage.root, scene->stage.root, &path), MERGE_PROTECTED);
	assert_string_equal(path, "usr/lib/systemd/systemd");
	assert_int_equal(sys_umount("/proc", 0), 0);
	protect_free(&protect);
}

static void begins_anew_with_its_rules(void **state)
{
	struct scene *scene = *state;

	need_root(scene);
	root_has(scene, "usr/lib/systemd/systemd");
	layer_has(scene, A, "usr/lib/systemd/systemd");
	layer_has(scene, B, "usr/bin/tool");
	admits(scene, B);
	fit_free(&scene->fit);
	refuses(scene, A, MERGE_INIT, "usr/lib/systemd/systemd is a file in the image");
}

/* The root that the process has, as in a running system; /proc, /dev and /run are the machine's. */
static void takes_the_own_root(void **state)
{
	static const char *const machine[] = { "proc", "dev" };
	struct scene *scene = *state;
	const int home = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *path = NULL;
	char point[512];
	uint32_t layer;
	int whole;

	need_root(scene);
	root_has(scene, "proc/", "dev/", "run/", "usr/lib/systemd/systemd", "usr/kept/",
		 "sbin/init -> /usr/lib/systemd/systemd", "usr/l", "usr/m", "opt/x");
	for (size_t i = 0; i < COUNT(machine); i++) {
		char from[16];

		snprintf(from, sizeof(from), "/%s", machine[i]);
		snprintf(point, sizeof(point), "%s/%s", scene->root->path, machine[i]);
		assert_int_equal(sys_mount(from, point, NULL, MS_BIND | MS_REC, NULL), 0);
	}
	mount_on(scene, "usr/kept");
	assert_int_equal(fchdir(scene->root->fd), 0);
	assert_int_equal(chroot("."), 0);
	close(scene->root->fd);
	scene->root->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	layer_has(scene, A, "usr/lib/systemd/systemd");
	layer_has(scene, B, "usr/lib/systemd/other", "usr/kept/x", "usr/l -> ../opt/x");
	layer_has(scene, C, "usr/m -> /usr/lib/systemd/systemd");
	refuses(scene, A, MERGE_INIT, "usr/lib/systemd/systemd is a file in the image");
	admits(scene, B);
	assert_int_equal(scene->notes[B].count, 1);
	assert_string_equal(scene->notes[B].list[0].path, "/usr/kept");
	admits(scene, C);
	assert_reason(check_links_again(scene, &layer), ACCEPTED);
	whole = assemble(scene);
	assert_reason(protect_check(scene->stage.root, whole, &path), ACCEPTED);
	assert_int_equal(faccessat(whole, "usr/lib/systemd/other", F_OK, 0), 0);
	close(whole);
	assert_reason(stage_leave(&scene->stage), ACCEPTED);
	assert_int_equal(fchdir(home), 0);
	assert_int_equal(chroot("."), 0);
	close(home);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(protects_every_link_on_the_way),
		TEST(protects_the_way_through_other_hierarchies),
		TEST(follows_dots),
		TEST(ends_in_rings),
		TEST(ends_where_the_root_has_nothing),
		TEST(protects_what_the_root_lacks),
		TEST(protects_places_that_only_images_have),
		TEST(protects_os_release),
		TEST(takes_the_usual_link_where_it_changes_nothing),
		TEST(protects_generators),
		TEST(protects_generators_where_a_link_leads),
		TEST(links_in_a_guarded_directory_must_lead_inside),
		TEST(a_link_that_is_too_long_leads_nowhere),
		TEST(whose_link_is_bad_in_a_guarded_directory_goes),
		TEST(closes_directories_of_certificates),
		TEST(closes_directories_that_the_root_lacks),
		TEST(compares_where_paths_end),
		TEST(rules_are_found_by_directory),
		TEST(wants_to_know_where_the_hierarchies_are),
		TEST(begins_anew_with_its_rules),
		TEST(takes_the_own_root),
	};

	return cmocka_run_group_tests_name("protect", tests, NULL, NULL);
}
