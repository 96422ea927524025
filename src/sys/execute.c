/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/execute.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/filesystem.h"
#include "core/release.h"
#include "core/table.h"
#include "core/text.h"
#include "sys/assembled.h"
#include "sys/content.h"
#include "sys/dm.h"
#include "sys/fd.h"
#include "sys/fit.h"
#include "sys/keyring.h"
#include "sys/loop.h"
#include "sys/mount.h"
#include "sys/overlay.h"
#include "sys/place.h"
#include "sys/stage.h"
#include "sys/syscalls.h"

#define DETAIL_SIZE 512u
#define PATH_SIZE 32u
#define BARE "bare" /* below the stage: a copy of the root */

/* The kernel objects of the image that is being worked on. */
struct work {
	uint32_t subject;
	enum step_op done; /* the last step carried out; 0: none */
	struct loop data;
	struct loop tree;
	struct dm_device device;
	char directory[OVERLAY_LAYER_NAME]; /* below the stage */
	char mount_point[PATH_SIZE];
};

/* What is known of a layer besides, when its image is mounted and checked. */
struct mounted {
	uint32_t subject;
	enum step_op done;	  /* the last step carried out; 0: it was given up */
	struct table_device data; /* the loop devices below its verity device */
	struct table_device tree;
	char mount_point[PATH_SIZE];
};

struct run {
	const struct plan *plan;
	const struct merge_options *options;
	int root_fd;
	struct merge_item *items;
	size_t count;
	const struct merge_observer *observer;
	struct content_host host;
	struct stage stage;
	struct work work;
	size_t layer_count; /* those that were given up since included */
	size_t admitted;
	struct overlay_layer layers[VEXT_IMAGES_MAX];
	struct mounted mounted[VEXT_IMAGES_MAX];
	struct fit fit;
	int overlay[HIERARCHIES]; /* -1: none */
	unsigned round;		  /* in which the overlays are made */
	bool is_stale;		  /* an image was given up that may be in one of the overlays */
	bool is_checked;	  /* STEP_CHECK_MERGED has passed the overlays as they are */
	bool attached[HIERARCHIES];
	bool created[HIERARCHIES]; /* directories of the root that were not there */
	uint64_t microseconds;	   /* spent on the steps of the whole */
	struct text detail;
	char detail_bytes[DETAIL_SIZE];
};

/* ---- the steps of an image ----------------------------------------------------------------- */

static const struct facts *facts_of(const struct run *run)
{
	return trusted_facts(run->items[run->work.subject].trusted);
}

static const char *name_of(const struct run *run)
{
	return run->items[run->work.subject].image->name;
}

static enum extension_class class_of(const struct run *run)
{
	return run->items[run->work.subject].image->class;
}

static struct text item_detail(struct merge_item *item)
{
	struct text text;

	text_init(&text, item->detail, sizeof(item->detail));
	return text;
}

static struct verdict loop_data(struct run *run)
{
	return loop_attach(run->items[run->work.subject].image->fd, facts_of(run)->layout.data,
			   &run->work.data);
}

static struct verdict loop_tree(struct run *run)
{
	return loop_attach(run->items[run->work.subject].image->fd, facts_of(run)->layout.tree,
			   &run->work.tree);
}

/* What vext itself reads must not restart the machine: strict is the device only after STEP_RELOAD. */
static struct verdict make_device(struct run *run, const char *name, const char *signature_key)
{
	const struct facts *facts = facts_of(run);
	const struct table_options options = { .signature_key = signature_key,
					       .corruption = CORRUPTION_IO_ERROR };
	char uuid[TABLE_UUID_MAX];
	char line[TABLE_LINE_MAX];
	const struct dm_verity verity = {
		.name = name,
		.uuid = uuid,
		.sectors = table_sectors(&facts->verity),
		.line = line,
		.stays = run->options->stays,
	};

	table_uuid(facts->root_hash, name, uuid);
	table_verity(facts, run->work.data.device, run->work.tree.device, &options, line);
	return dm_verity_make(&verity, &run->work.device);
}

/* The key is called like the device. */
static struct verdict make_checked_device(struct run *run, const char *name)
{
	const struct facts *facts = facts_of(run);
	struct keyring_loan loan = KEYRING_NO_LOAN;
	struct verdict v = keyring_lend(name, facts->signature, facts->signature_size, &loan);

	if (is_accepted(v))
		v = make_device(run, name, name);
	keyring_take_back(&loan);
	run->items[run->work.subject].kernel_checked = is_accepted(v);
	return v;
}

/*
 * The signature was checked here before. In auto mode the kernel is asked where it can be expected to
 * say yes; ENOKEY is no opinion about the signature: this kernel does not look where the certificate is.
 */
static struct verdict make_named(struct run *run, const char *name)
{
	const enum kernel_signature mode = run->options->kernel_signature;
	const bool can_check = mode != KERNEL_SIGNATURE_OFF && keyring_kernel_checks();
	struct verdict v;

	if (!facts_of(run)->is_signed) /* by policy: nothing to be checked, or asked for in vain */
		return mode == KERNEL_SIGNATURE_REQUIRE ? verdict(REASON_POLICY_UNSIGNED) :
							  make_device(run, name, NULL);
	if (mode == KERNEL_SIGNATURE_REQUIRE)
		return can_check ? make_checked_device(run, name) : verdict(REASON_KERNEL_NO_CHECK);
	if (!can_check || !keyring_knows(&facts_of(run)->signer))
		return make_device(run, name, NULL);
	v = make_checked_device(run, name);
	return v.sys_errno == ENOKEY ? make_device(run, name, NULL) : v;
}

/*
 * What was unmerged lives on, with its devices, for as long as a process uses it: process 1 and the journal do, after a
 * soft-reboot. It is never used again; the new device has a name of its own.
 */
static struct verdict make_verity(struct run *run)
{
	struct merge_item *item = &run->items[run->work.subject];
	char name[TABLE_NAME_MAX];
	struct verdict v;

	item->serial = 0;
	do {
		table_name_with_serial(class_of(run), name_of(run), item->serial, name);
		v = make_named(run, name);
	} while (v.reason == REASON_KERNEL_DEVICE_EXISTS && !run->options->stays &&
		 dm_is_named_by_vext(name) && item->serial++ < TABLE_SERIAL_MAX);
	return v;
}

static struct verdict check_device(struct run *run)
{
	const struct facts *facts = facts_of(run);
	_Alignas(VEXT_BLOCK) uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;
	struct verdict v = dm_verity_check(&run->work.device, block);

	if (!is_accepted(v))
		return v;
	v = filesystem_identify(block, &type, &size);
	if (!is_accepted(v) || type != facts->filesystem || size != facts->filesystem_size)
		return verdict(REASON_KERNEL_FILESYSTEM);
	return v;
}

/* A usr image has the contents of /usr at its top, a root image has a directory usr there. */
static struct verdict make_mount_point(struct run *run)
{
	struct work *work = &run->work;
	const bool is_usr = facts_of(run)->layout.role == ROLE_USR;
	struct text path;

	overlay_layer_name(run->layer_count, work->directory);
	text_init(&path, work->mount_point, sizeof(work->mount_point));
	text_str(&path, work->directory);
	/* The directory of a layer that was given up again is used for the next one. */
	if (mkdirat(run->stage.tree, work->directory, 0700) < 0 && errno != EEXIST)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	if (is_usr) {
		text_str(&path, "/usr");
		if (mkdirat(run->stage.tree, work->mount_point, 0700) < 0 && errno != EEXIST)
			return verdict_errno(REASON_KERNEL_MOUNT, errno);
	}
	return verdict(REASON_ACCEPTED);
}

static struct verdict mount_image(struct run *run)
{
	struct work *work = &run->work;
	FD_CLEANUP int fd = -1;
	struct verdict v;

	v = make_mount_point(run);
	if (is_accepted(v))
		v = mount_device(filesystem_name(facts_of(run)->filesystem), MOUNT_NODE_DM,
				 work->device.number, &run->detail, &fd);
	if (is_accepted(v) && sys_move_mount(fd, run->stage.tree, work->mount_point) < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	return v;
}

static struct verdict check_content(struct run *run)
{
	FD_CLEANUP int fd = content_open_directory(run->stage.tree, run->work.directory);
	struct overlay_layer *layer = &run->layers[run->layer_count];
	struct text detail = item_detail(&run->items[run->work.subject]);
	struct verdict v;

	if (fd < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	v = content_check(fd, class_of(run), name_of(run), &run->host, layer->has, &detail);
	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		if (layer->has[i])
			v = place_need(run->stage.root, (enum hierarchy)i, &run->created[i]);
	if (is_accepted(v)) {
		layer->name = name_of(run);
		layer->path = run->items[run->work.subject].path;
		layer->root_hash = facts_of(run)->root_hash;
		layer->class = class_of(run);
	}
	return v;
}

/* ---- an image among others ----------------------------------------------------------------- */

/* Its number of layers when it is none, or is none any more. */
static uint32_t layer_of(const struct run *run, uint32_t subject)
{
	uint32_t layer = 0;

	while (layer < run->layer_count &&
	       (run->mounted[layer].subject != subject || run->mounted[layer].done == 0))
		layer++;
	return layer;
}

static struct verdict fit_layer(struct run *run, uint32_t layer)
{
	struct merge_item *item = &run->items[run->mounted[layer].subject];
	struct text detail = item_detail(item);
	struct verdict v;

	if (run->admitted == OVERLAY_LAYERS_MAX)
		return verdict(REASON_SYSTEM_LIMIT);
	v = fit_admit(&run->fit, layer, &item->notes, &detail);
	if (is_accepted(v))
		run->admitted++;
	return v;
}

/* The kernel checks the signature again where it has before, so it has to be lent again. */
static struct verdict reload_table(struct run *run, uint32_t subject, struct table_device data,
				   struct table_device tree)
{
	const struct merge_item *item = &run->items[subject];
	const struct facts *facts = trusted_facts(item->trusted);
	char name[TABLE_NAME_MAX], uuid[TABLE_UUID_MAX], line[TABLE_LINE_MAX];
	const struct table_options options = { .signature_key = item->kernel_checked ? name : NULL,
					       .corruption = run->options->corruption };
	const struct dm_verity verity = {
		.name = name, .uuid = uuid, .sectors = table_sectors(&facts->verity), .line = line
	};
	struct keyring_loan loan = KEYRING_NO_LOAN;
	struct verdict v = verdict(REASON_ACCEPTED);

	table_name_with_serial(item->image->class, item->image->name, item->serial, name);
	table_uuid(facts->root_hash, name, uuid);
	table_verity(facts, data, tree, &options, line);
	if (item->kernel_checked)
		v = keyring_lend(name, facts->signature, facts->signature_size, &loan);
	if (is_accepted(v))
		v = dm_verity_reload(&verity);
	keyring_take_back(&loan);
	return v;
}

/* The image is no layer any more; the overlays that it is in must be made anew. */
static void give_up(struct run *run, uint32_t layer, struct verdict v, const char *detail)
{
	struct mounted *mounted = &run->mounted[layer];
	struct merge_item *item = &run->items[mounted->subject];
	struct text text;

	if (mounted->done >= STEP_FIT)
		run->admitted--;
	mounted->done = 0;
	memset(run->layers[layer].has, 0, sizeof(run->layers[layer].has));
	(void)sys_umount(mounted->mount_point, SYS_UMOUNT_DETACH);
	run->is_stale = true;
	item->verdict = v;
	item->notes = (struct notes){ 0 };
	if (detail != item->detail) {
		text = item_detail(item);
		text_str(&text, detail);
	}
}

static size_t live_layers(const struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->layer_count; i++)
		count += run->mounted[i].done != 0;
	return count;
}

/* ---- the steps of the whole ---------------------------------------------------------------- */

/* Those that have the hierarchy or, when its attributes are the trouble, the directory. False if that is nobody. */
static bool give_up_holders(struct run *run, enum hierarchy hierarchy, const struct node *at,
			    struct verdict v)
{
	bool any = false;

	for (uint32_t i = 0; i < run->layer_count; i++) {
		if (!run->layers[i].has[hierarchy] ||
		    (at != NULL && !assembled_has(&run->fit, i, hierarchy, at)))
			continue;
		give_up(run, i, v, run->detail_bytes);
		any = true;
	}
	return any;
}

/* One hierarchy that can't be merged does not keep the images of another from it. */
static struct verdict make_overlay(struct run *run, enum hierarchy hierarchy)
{
	const struct overlay overlay = { .stage = &run->stage,
					 .hierarchy = hierarchy,
					 .layers = run->layers,
					 .count = run->layer_count,
					 .top = run->fit.nodes.hierarchy[hierarchy],
					 .round = run->round,
					 .token = run->options->token };
	const struct node *at;
	struct verdict v;

	fd_close(&run->overlay[hierarchy]);
	text_init(&run->detail, run->detail_bytes, sizeof(run->detail_bytes));
	v = overlay_make(&overlay, &run->detail, &at, &run->overlay[hierarchy]);
	if (!is_accepted(v) && give_up_holders(run, hierarchy, at, v))
		return verdict(REASON_ACCEPTED);
	return v;
}

static void put_whole(char place[PATH_SIZE], unsigned round)
{
	struct text text;

	text_init(&text, place, PATH_SIZE);
	text_str(&text, "whole-");
	text_u64(&text, round);
}

/* Each round has a loop device and an erofs for each hierarchy; there may be as many rounds as images. */
static void drop_overlays(struct run *run)
{
	char place[PATH_SIZE];

	put_whole(place, run->round);
	(void)sys_umount(place, SYS_UMOUNT_DETACH);
	for (unsigned i = 0; i < HIERARCHIES; i++) {
		fd_close(&run->overlay[i]);
		overlay_drop((enum hierarchy)i, run->round);
	}
}

/* In places of their own, for those before may be held still. */
static struct verdict remake_overlays(struct run *run)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	drop_overlays(run);
	run->is_stale = false;
	run->round++;
	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		v = make_overlay(run, (enum hierarchy)i);
	return v;
}

static struct verdict not_assembled(void)
{
	return verdict_errno(REASON_MERGE_OVERLAY, errno);
}

static struct verdict put_overlay(struct run *run, enum hierarchy hierarchy, int whole)
{
	char place[OVERLAY_PLACE_SIZE];
	FD_CLEANUP int copy = -1;

	if (run->overlay[hierarchy] < 0)
		return verdict(REASON_ACCEPTED);
	overlay_place(hierarchy, run->round, place);
	copy = sys_clone_mounts(run->stage.tree, place);
	return copy < 0 ? not_assembled() : overlay_attach(copy, whole, hierarchy);
}

/* The root as it is going to be, in a directory of the stage. */
static struct verdict assemble(struct run *run, int *whole)
{
	FD_CLEANUP int copy = sys_clone_mounts(run->stage.tree, BARE);
	FD_CLEANUP int fd = -1;
	char place[PATH_SIZE];
	struct verdict v = verdict(REASON_ACCEPTED);

	put_whole(place, run->round);
	if (copy < 0 || mkdirat(run->stage.tree, place, 0700) < 0 ||
	    sys_move_mount(copy, run->stage.tree, place) < 0)
		return not_assembled();
	fd = openat(run->stage.tree, place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return not_assembled();
	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		v = put_overlay(run, (enum hierarchy)i, fd);
	if (is_accepted(v))
		*whole = fd_take(&fd);
	return v;
}

static struct verdict look_at_whole(struct run *run)
{
	FD_CLEANUP int whole = -1;
	const char *path;
	uint32_t layer;
	struct verdict v = assemble(run, &whole);

	if (!is_accepted(v))
		return v;
	text_init(&run->detail, run->detail_bytes, sizeof(run->detail_bytes));
	v = assembled_check_links(&run->fit, run->layer_count, whole, &layer, &run->detail);
	if (v.reason == REASON_MERGE_LINK) {
		give_up(run, layer, v, run->detail_bytes);
		return verdict(REASON_ACCEPTED);
	}
	if (is_accepted(v))
		v = protect_check(run->stage.root, whole, &path);
	if (v.reason == REASON_MERGE_PROTECTED)
		text_str(&run->detail, path);
	return v;
}

static struct notes *notes_of(void *ctx, uint32_t layer)
{
	struct run *run = ctx;

	return &run->items[run->mounted[layer].subject].notes;
}

/* Each turn gives up an image, or is the last. */
static struct verdict check_merged(struct run *run)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	do {
		if (run->is_stale)
			v = remake_overlays(run);
		if (is_accepted(v) && !run->is_stale && live_layers(run) > 0)
			v = look_at_whole(run);
	} while (is_accepted(v) && run->is_stale);
	run->is_checked = is_accepted(v);
	if (is_accepted(v))
		assembled_note_generated(&run->fit, run->layer_count, notes_of, run);
	return v;
}

static struct verdict attach_overlays(struct run *run)
{
	struct verdict v = run->is_checked && !run->is_stale ? stage_leave(&run->stage) :
							       verdict(REASON_UNDECIDED);

	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++) {
		if (run->overlay[i] < 0)
			continue;
		v = overlay_attach(run->overlay[i], run->root_fd, (enum hierarchy)i);
		run->attached[i] = is_accepted(v);
	}
	return v;
}

/* ---- carrying out -------------------------------------------------------------------------- */

static struct verdict carry_out(struct run *run, const struct step *step)
{
	const uint32_t layer = step->op == STEP_FIT || step->op == STEP_RELOAD ?
				       layer_of(run, step->subject) :
				       0;

	switch (step->op) {
	case STEP_LOOP_DATA:
		return loop_data(run);
	case STEP_LOOP_TREE:
		return loop_tree(run);
	case STEP_VERITY:
		return make_verity(run);
	case STEP_CHECK_DEVICE:
		return check_device(run);
	case STEP_MOUNT:
		return mount_image(run);
	case STEP_CHECK_CONTENT:
		return check_content(run);
	case STEP_FIT:
		return fit_layer(run, layer);
	case STEP_RELOAD:
		return reload_table(run, step->subject, run->mounted[layer].data,
				    run->mounted[layer].tree);
	case STEP_OVERLAY:
		return make_overlay(run, (enum hierarchy)step->subject);
	case STEP_CHECK_MERGED:
		return check_merged(run);
	case STEP_MOVE:
		return attach_overlays(run);
	}
	return verdict(REASON_UNDECIDED);
}

static void undo(struct run *run, enum step_op op)
{
	switch (op) {
	case STEP_LOOP_DATA:
		loop_release(&run->work.data);
		return;
	case STEP_LOOP_TREE:
		loop_release(&run->work.tree);
		return;
	case STEP_VERITY:
		dm_remove(&run->work.device);
		return;
	case STEP_MOUNT: /* relative to the stage, which is the working directory */
		(void)sys_umount(run->work.mount_point, SYS_UMOUNT_DETACH);
		return;
	case STEP_CHECK_DEVICE:
	case STEP_CHECK_CONTENT:
	case STEP_FIT:
	case STEP_RELOAD:
	case STEP_OVERLAY: /* goes with the stage */
	case STEP_CHECK_MERGED:
	case STEP_MOVE:
		return;
	}
}

/* In reverse, from the last step that was carried out. */
static void undo_image(struct run *run)
{
	for (; run->work.done >= STEP_LOOP_DATA; run->work.done--)
		undo(run, run->work.done);
}

static uint64_t now(void)
{
	struct timespec at = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static struct verdict observed(struct run *run, const struct step *step)
{
	struct verdict v;

	text_init(&run->detail, run->detail_bytes, sizeof(run->detail_bytes));
	v = carry_out(run, step);
	if (run->observer != NULL)
		run->observer->step(run->observer->ctx, step, v, run->detail_bytes);
	return v;
}

static void begin_image(struct run *run, uint32_t subject)
{
	run->work = (struct work){
		.subject = subject,
		.data = LOOP_NONE,
		.tree = LOOP_NONE,
		.device = DM_DEVICE_NONE,
	};
}

/* Mounted and checked: the mount holds the device, the device the loops, the loops the image. */
static void keep_image(struct run *run)
{
	struct mounted *mounted = &run->mounted[run->layer_count++];

	*mounted = (struct mounted){ .subject = run->work.subject,
				     .done = run->work.done,
				     .data = run->work.data.device,
				     .tree = run->work.tree.device };
	memcpy(mounted->mount_point, run->work.mount_point, sizeof(mounted->mount_point));
	dm_release(&run->work.device);
	loop_release(&run->work.tree);
	loop_release(&run->work.data);
	run->work.done = 0;
}

/* The next step of the image in work, or the first of another: no other is carried out. */
static bool is_in_order(const struct run *run, const struct step *step)
{
	if (step->op == STEP_LOOP_DATA)
		return run->work.done == 0;
	return step->op == run->work.done + 1 && step->subject == run->work.subject;
}

static void image_step(struct run *run, const struct step *step)
{
	struct merge_item *item = &run->items[step->subject];
	const uint64_t start = now();

	if (step->op == STEP_LOOP_DATA)
		begin_image(run, step->subject);
	item->step = step->op;
	item->verdict = observed(run, step);
	if (is_accepted(item->verdict))
		run->work.done = step->op;
	else
		undo_image(run);
	if (run->work.done == STEP_CHECK_CONTENT)
		keep_image(run);
	if (run->work.done == 0)
		image_close(item->image);
	if (step->op <= STEP_CHECK_DEVICE)
		item->attach_microseconds += now() - start;
	else
		item->mount_microseconds += now() - start;
}

/* The image is a layer already; if the step fails it is none any more. */
static void layer_step(struct run *run, const struct step *step)
{
	const uint32_t layer = layer_of(run, step->subject);
	struct merge_item *item = &run->items[step->subject];
	const uint64_t start = now();

	item->step = step->op;
	item->verdict = observed(run, step);
	if (is_accepted(item->verdict))
		run->mounted[layer].done = step->op;
	else
		give_up(run, layer, item->verdict, item->detail);
	run->is_stale = false; /* there are no overlays yet */
	item->mount_microseconds += now() - start;
}

static struct verdict whole_step(struct run *run, const struct step *step)
{
	const uint64_t start = now();
	const struct verdict v = observed(run, step);

	run->microseconds += now() - start;
	return v;
}

/* Of every layer all steps were carried out. */
static bool all_are_admitted(const struct run *run)
{
	const enum step_op last = run->options->corruption == CORRUPTION_IO_ERROR ? STEP_FIT :
										    STEP_RELOAD;

	for (size_t i = 0; i < run->layer_count; i++)
		if (run->mounted[i].done != 0 && run->mounted[i].done != last)
			return false;
	return run->work.done == 0;
}

static struct verdict run_whole_step(struct run *run, const struct step *step)
{
	if (!all_are_admitted(run) || step->subject >= HIERARCHIES)
		return verdict(REASON_UNDECIDED);
	return live_layers(run) == 0 ? verdict(REASON_ACCEPTED) : whole_step(run, step);
}

static struct verdict run_layer_step(struct run *run, const struct step *step)
{
	const uint32_t layer = layer_of(run, step->subject);

	if (run->work.done != 0 || layer == run->layer_count ||
	    run->mounted[layer].done != step->op - 1)
		return verdict(REASON_UNDECIDED);
	layer_step(run, step);
	return verdict(REASON_ACCEPTED);
}

/* Accepted also when an image fell; the verdict is about the whole. */
static struct verdict run_step(struct run *run, const struct step *step)
{
	if (step->op >= STEP_OVERLAY)
		return run_whole_step(run, step);
	if (step->subject >= run->count || run->items[step->subject].trusted == NULL ||
	    run->items[step->subject].image->class >= CLASSES)
		return verdict(REASON_UNDECIDED);
	if (step->op != STEP_LOOP_DATA && !is_accepted(run->items[step->subject].verdict))
		return verdict(REASON_ACCEPTED); /* an earlier step failed and told why */
	if (step->op >= STEP_FIT)
		return run_layer_step(run, step);
	if (!is_in_order(run, step) || run->layer_count == VEXT_IMAGES_MAX)
		return verdict(REASON_UNDECIDED);
	image_step(run, step);
	return verdict(REASON_ACCEPTED);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void undo_all(struct run *run)
{
	for (unsigned i = HIERARCHIES; i > 0; i--) {
		if (run->attached[i - 1])
			overlay_detach(run->overlay[i - 1]);
		run->attached[i - 1] = false;
	}
	undo_image(run);
}

/* Without it this is no root: not mounted yet, or another directory than was meant. */
static struct verdict need_usr(const struct run *run)
{
	FD_CLEANUP int fd = content_open_directory(run->root_fd, hierarchy_name(HIERARCHY_USR));

	return fd < 0 ? verdict_errno(REASON_MERGE_HIERARCHY, errno) : verdict(REASON_ACCEPTED);
}

/* What the plan would merge must not be merged already. */
static struct verdict need_unmerged(const struct run *run)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (size_t i = 0; i < run->plan->count && is_accepted(v); i++)
		if (run->plan->steps[i].op == STEP_OVERLAY &&
		    run->plan->steps[i].subject < HIERARCHIES)
			v = overlay_absent(run->root_fd,
					   (enum hierarchy)run->plan->steps[i].subject);
	return v;
}

/* A copy of the root with all that is mounted in it, before there is more of that. */
static struct verdict take_bare(struct run *run)
{
	FD_CLEANUP int copy = sys_clone_mounts(run->stage.root, "");

	if (copy < 0 || mkdirat(run->stage.tree, BARE, 0700) < 0 ||
	    sys_move_mount(copy, run->stage.tree, BARE) < 0)
		return verdict_errno(REASON_SYSTEM_NAMESPACE, errno);
	return verdict(REASON_ACCEPTED);
}

static struct verdict prepare(struct run *run)
{
	struct verdict v = need_unmerged(run);

	if (is_accepted(v))
		v = need_usr(run);
	if (is_accepted(v))
		v = content_read_host(run->root_fd, &run->host);
	if (is_accepted(v))
		v = stage_enter(run->root_fd, &run->stage);
	return is_accepted(v) ? take_bare(run) : v;
}

/* Is all in place that the layers have? Not so after a plan that lacks its last steps. */
static bool is_complete(const struct run *run)
{
	for (size_t i = 0; i < run->layer_count; i++)
		for (unsigned h = 0; h < HIERARCHIES; h++)
			if (run->layers[i].has[h] && !run->attached[h])
				return false;
	return run->work.done == 0;
}

static struct verdict run_all(struct run *run)
{
	struct verdict v = prepare(run);

	for (size_t i = 0; i < run->plan->count && is_accepted(v); i++)
		v = run_step(run, &run->plan->steps[i]);
	if (is_accepted(v) && !is_complete(run))
		v = verdict(REASON_UNDECIDED);
	return v;
}

/* Leaving the stage drops every mount that is not in place by now, and with them the devices. */
static struct verdict clean_up(struct run *run, struct verdict v)
{
	struct verdict left;

	if (!is_accepted(v))
		undo_all(run);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		fd_close(&run->overlay[i]);
	fit_free(&run->fit);
	left = stage_leave(&run->stage);
	if (is_accepted(v) && !is_accepted(left))
		v = left;
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (run->created[i] && !run->attached[i])
			place_remove(run->root_fd, (enum hierarchy)i);
	return v;
}

static struct verdict conclude(struct run *run, struct verdict v, struct merge_result *result)
{
	struct merge_result reached = { .merged = 0 };

	for (size_t i = 0; i < run->count; i++) {
		struct merge_item *item = &run->items[i];

		if (item->trusted != NULL && !is_accepted(v) &&
		    (is_accepted(item->verdict) || item->verdict.reason == REASON_UNDECIDED))
			item->verdict = v;
	}
	if (is_accepted(v)) {
		reached.merged = live_layers(run);
		reached.microseconds = run->microseconds;
		for (unsigned i = 0; i < HIERARCHIES; i++)
			reached.hierarchy[i] = run->attached[i];
	}
	*result = reached;
	return v;
}

struct verdict execute_plan(const struct plan *plan, const struct merge_options *options,
			    int root_fd, struct merge_item items[], size_t count,
			    const struct merge_observer *observer, struct merge_result *result)
{
	struct run run = {
		.plan = plan,
		.options = options,
		.root_fd = root_fd,
		.items = items,
		.count = count,
		.observer = observer,
		.stage = STAGE_NONE,
		.overlay = { -1, -1, -1 },
	};
	struct verdict v = verdict(REASON_ACCEPTED);

	begin_image(&run, 0);
	run.fit.stage = &run.stage;
	run.fit.layers = run.layers;
	for (size_t i = 0; i < count; i++) {
		if (items[i].trusted == NULL)
			continue;
		items[i].verdict = verdict(REASON_UNDECIDED);
		items[i].step = 0;
		items[i].attach_microseconds = 0;
		items[i].mount_microseconds = 0;
		items[i].kernel_checked = false;
		items[i].notes = (struct notes){ 0 };
		items[i].detail[0] = '\0';
		image_path_in_root(items[i].image, root_fd, items[i].path);
	}
	if (plan->count > 0)
		v = clean_up(&run, run_all(&run));
	return conclude(&run, v, result);
}

struct verdict execute_attach(struct merge_item *item, const struct merge_options *options,
			      char device[TABLE_NAME_MAX])
{
	struct run run = { .options = options, .items = item, .count = 1, .stage = STAGE_NONE };
	struct step step = { .op = STEP_LOOP_DATA };

	item->attach_microseconds = 0;
	do {
		item->verdict = verdict(REASON_UNDECIDED);
		image_step(&run, &step);
	} while (is_accepted(item->verdict) && step.op++ < STEP_CHECK_DEVICE);
	if (is_accepted(item->verdict) && options->corruption != CORRUPTION_IO_ERROR)
		item->verdict = reload_table(&run, 0, run.work.data.device, run.work.tree.device);
	table_name(item->image->class, item->image->name, device);
	if (is_accepted(item->verdict))
		item->verdict = dm_link(device, &run.work.device);
	if (is_accepted(item->verdict)) {
		keep_image(&run);
	} else {
		undo_image(&run);
		device[0] = '\0';
	}
	image_close(item->image);
	return item->verdict;
}
