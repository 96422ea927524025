/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/execute.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "core/filesystem.h"
#include "core/release.h"
#include "core/table.h"
#include "core/text.h"
#include "sys/content.h"
#include "sys/dm.h"
#include "sys/fd.h"
#include "sys/keyring.h"
#include "sys/loop.h"
#include "sys/mount.h"
#include "sys/overlay.h"
#include "sys/place.h"
#include "sys/stage.h"
#include "sys/syscalls.h"

#define DETAIL_SIZE 512u
#define PATH_SIZE 32u

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
	size_t layer_count;
	struct overlay_layer layers[OVERLAY_LAYERS_MAX];
	int overlay[HIERARCHIES]; /* -1: none */
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

static struct verdict make_device(struct run *run, const char *name, const char *signature_key)
{
	const struct facts *facts = facts_of(run);
	const struct table_options options = { .signature_key = signature_key,
					       .corruption = run->options->corruption };
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
static struct verdict make_verity(struct run *run)
{
	const enum kernel_signature mode = run->options->kernel_signature;
	const bool can_check = mode != KERNEL_SIGNATURE_OFF && keyring_kernel_checks();
	char name[TABLE_NAME_MAX];
	struct verdict v;

	table_name(class_of(run), name_of(run), name);
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

	if (run->layer_count == OVERLAY_LAYERS_MAX)
		return verdict(REASON_SYSTEM_LIMIT);
	v = make_mount_point(run);
	if (is_accepted(v))
		v = mount_device(filesystem_name(facts_of(run)->filesystem), work->device.number,
				 &run->detail, &fd);
	if (is_accepted(v) && sys_move_mount(fd, run->stage.tree, work->mount_point) < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	return v;
}

static struct verdict check_content(struct run *run)
{
	FD_CLEANUP int fd = content_open_directory(run->stage.tree, run->work.directory);
	struct overlay_layer *layer = &run->layers[run->layer_count];
	struct verdict v;

	if (fd < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	v = content_check(fd, class_of(run), name_of(run), &run->host, layer->has);
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

/* ---- the steps of the whole ---------------------------------------------------------------- */

static struct verdict make_overlay(struct run *run, enum hierarchy hierarchy)
{
	return overlay_make(&run->stage, hierarchy, run->layers, run->layer_count,
			    &run->overlay[hierarchy]);
}

static struct verdict attach_overlays(struct run *run)
{
	struct verdict v = stage_leave(&run->stage);

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
	case STEP_OVERLAY:
		return make_overlay(run, (enum hierarchy)step->subject);
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
	case STEP_OVERLAY: /* goes with the stage */
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
	run->layer_count++;
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

static struct verdict whole_step(struct run *run, const struct step *step)
{
	const uint64_t start = now();
	const struct verdict v = observed(run, step);

	run->microseconds += now() - start;
	return v;
}

/* Accepted also when an image fell; the verdict is about the whole. */
static struct verdict run_step(struct run *run, const struct step *step)
{
	if (step->op >= STEP_OVERLAY) {
		if (run->work.done != 0 || step->subject >= HIERARCHIES)
			return verdict(REASON_UNDECIDED);
		return run->layer_count == 0 ? verdict(REASON_ACCEPTED) : whole_step(run, step);
	}
	if (step->subject >= run->count || run->items[step->subject].trusted == NULL ||
	    run->items[step->subject].image->class >= CLASSES)
		return verdict(REASON_UNDECIDED);
	if (step->op != STEP_LOOP_DATA && !is_accepted(run->items[step->subject].verdict))
		return verdict(REASON_ACCEPTED); /* an earlier step failed and told why */
	if (!is_in_order(run, step))
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

static struct verdict prepare(struct run *run)
{
	struct verdict v = need_unmerged(run);

	if (is_accepted(v))
		v = need_usr(run);
	if (is_accepted(v))
		v = content_read_host(run->root_fd, &run->host);
	if (is_accepted(v))
		v = stage_enter(run->root_fd, &run->stage);
	return v;
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
		reached.merged = run->layer_count;
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
	for (size_t i = 0; i < count; i++) {
		if (items[i].trusted == NULL)
			continue;
		items[i].verdict = verdict(REASON_UNDECIDED);
		items[i].step = 0;
		items[i].attach_microseconds = 0;
		items[i].mount_microseconds = 0;
		items[i].kernel_checked = false;
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
