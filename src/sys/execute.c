/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/execute.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/filesystem.h"
#include "core/release.h"
#include "core/table.h"
#include "core/text.h"
#include "sys/assembled.h"
#include "sys/attach.h"
#include "sys/content.h"
#include "sys/dm.h"
#include "sys/fd.h"
#include "sys/fit.h"
#include "sys/keyring.h"
#include "sys/mount.h"
#include "sys/overlay.h"
#include "sys/place.h"
#include "sys/stage.h"
#include "sys/syscalls.h"

#define DETAIL_SIZE 512u
#define PATH_SIZE 32u
#define BARE "bare" /* below the stage: a copy of the root */

/* A layer, from when its image is mounted on. */
struct mounted {
	uint32_t subject;
	enum step_op done; /* the last step carried out; 0: it was given up */
	struct attached attached;
	int mount_fd;			    /* the parent's: it holds the devices */
	char directory[OVERLAY_LAYER_NAME]; /* below the stage */
	char mount_point[PATH_SIZE];
};

/*
 * Of this there are two: the parent's, and, in memory that both share, that of the assembler, which
 * is a copy of it to begin with and which the parent takes over when it is done.
 */
struct run {
	const struct plan *plan;
	const struct merge_options *options;
	int root_fd;
	struct merge_item *items;
	size_t count;
	const struct merge_observer *observer;
	struct content_host host;
	struct stage stage;
	size_t layer_count; /* those that were given up since included */
	size_t admitted;
	struct overlay_layer layers[VEXT_IMAGES_MAX];
	struct mounted mounted[VEXT_IMAGES_MAX];
	struct fit fit;
	int overlay[HIERARCHIES]; /* -1: none */
	unsigned round;		  /* in which the overlays are made */
	bool is_stale;		  /* an image was given up that may be in one of the overlays */
	bool is_checked;	  /* STEP_CHECK_MERGED has passed the overlays as they are */
	bool has[HIERARCHIES];	  /* overlays to be moved, when the assembler is done */
	bool attached[HIERARCHIES];
	bool created[HIERARCHIES]; /* directories of the root that were not there */
	uint64_t microseconds;	   /* spent on the steps of the whole */
	struct verdict verdict;	   /* of the assembler, about the whole */
	struct step failed;	   /* and the step that it is about, if any */
	struct left left;
	struct text detail;
	char detail_bytes[DETAIL_SIZE];
};

static struct merge_item *item_of(const struct run *run, uint32_t layer)
{
	return &run->items[run->mounted[layer].subject];
}

static struct text item_detail(struct merge_item *item)
{
	struct text text;

	text_init(&text, item->detail, sizeof(item->detail));
	return text;
}

/* ---- the devices of all images, by a worker each ------------------------------------------- */

/* The plan's images, in its order. */
struct attachment {
	struct run *run;
	uint32_t subject[VEXT_IMAGES_MAX];
	struct attaching *attaching[VEXT_IMAGES_MAX]; /* while there is a worker */
	struct attached attached[VEXT_IMAGES_MAX];
	int mount_fd[VEXT_IMAGES_MAX];
	size_t count;
};

/*
 * The steps from `at` on: are they all those of one image alone, in their order? Else nothing may
 * be carried out.
 */
static bool is_whole(const struct plan *plan, size_t at)
{
	for (size_t i = 0; i < PLAN_STEPS_ALONE; i++)
		if (at + i >= plan->count || plan->steps[at + i].op != STEP_LOOP_DATA + i ||
		    plan->steps[at + i].subject != plan->steps[at].subject)
			return false;
	return true;
}

/*
 * A plan that leaves out a step of an image, or has one where it does not belong, merges nothing.
 */
static bool take_subjects(struct attachment *attachment, const struct run *run)
{
	const struct plan *plan = run->plan;
	size_t at = 0;

	for (; at < plan->count && plan->steps[at].op < STEP_FIT; at += PLAN_STEPS_ALONE) {
		const uint32_t subject = plan->steps[at].subject;

		if (!is_whole(plan, at) || subject >= run->count ||
		    run->items[subject].trusted == NULL ||
		    run->items[subject].image->class >= CLASSES ||
		    attachment->count == VEXT_IMAGES_MAX)
			return false;
		attachment->subject[attachment->count++] = subject;
	}
	for (; at < plan->count; at++)
		if (plan->steps[at].op < STEP_FIT)
			return false;
	return true;
}

static struct attach_options attach_options(const struct merge_options *options, bool stays)
{
	return (struct attach_options){ .kernel_signature = options->kernel_signature,
					.corruption = options->corruption,
					.stays = stays };
}

static struct attach_order order_for(struct merge_item *item, const struct attach_options *options,
				     struct attaching *attaching)
{
	return (struct attach_order){ .trusted = item->trusted,
				      .image = item->image,
				      .options = options,
				      .device = item->device,
				      .attaching = attaching };
}

static struct verdict start_item(struct merge_item *item, const struct attach_options *options,
				 struct attaching *attaching, struct worker *worker)
{
	const struct attach_order order = order_for(item, options, attaching);
	struct verdict v;

	if (attaching == NULL)
		return verdict_errno(REASON_SYSTEM_MEMORY, errno);
	item->step = STEP_LOOP_DATA;
	v = dm_name(item->image->class, item->image->name, item->device);
	return is_accepted(v) ? attach_start(worker, &order) : v;
}

/* The descriptor that came with the answer holds the mount. */
static void finish_item(struct merge_item *item, const struct attach_options *options,
			struct attaching *attaching, struct worker *worker, enum worker_state state,
			struct attached *attached)
{
	const struct attach_order order = order_for(item, options, attaching);

	item->step = (enum step_op)worker_holds_of(worker)->at;
	if (item->step < STEP_LOOP_DATA || item->step > STEP_MOUNT)
		item->step = STEP_LOOP_DATA;
	item->attach_microseconds = attaching->attach_microseconds;
	item->mount_microseconds = attaching->mount_microseconds;
	if (state == WORKER_HEARD)
		item->verdict = attach_take(&order, worker->fd, attached);
	else
		item->verdict = worker_silence(state);
	item->kernel_checked = is_accepted(item->verdict) && attached->kernel_checked;
	if (!is_accepted(item->verdict))
		item->device[0] = '\0';
	image_close(item->image);
}

static void tell(const struct run *run, const struct step *step, struct verdict v,
		 const char *detail)
{
	if (run->observer != NULL)
		run->observer->step(run->observer->ctx, step, v, detail);
}

static bool start_attaching(void *ctx, size_t i, struct worker *worker)
{
	struct attachment *attachment = ctx;
	struct merge_item *item = &attachment->run->items[attachment->subject[i]];
	const struct attach_options options = attach_options(attachment->run->options, false);

	attachment->mount_fd[i] = -1;
	attachment->attaching[i] = worker_memory(sizeof(*attachment->attaching[i]));
	item->verdict = start_item(item, &options, attachment->attaching[i], worker);
	if (!is_accepted(item->verdict)) {
		worker_memory_free(attachment->attaching[i], sizeof(*attachment->attaching[i]));
		attachment->attaching[i] = NULL;
	}
	return is_accepted(item->verdict);
}

static void finish_attaching(void *ctx, size_t i, struct worker *worker, enum worker_state state)
{
	struct attachment *attachment = ctx;
	struct merge_item *item = &attachment->run->items[attachment->subject[i]];
	const struct attach_options options = attach_options(attachment->run->options, false);
	struct attaching *attaching = attachment->attaching[i];
	char detail[ATTACH_DETAIL_MAX] = "";

	if (attaching == NULL) { /* none was started */
		item->verdict = verdict(REASON_IMAGE_UNRESPONSIVE);
		return;
	}
	finish_item(item, &options, attaching, worker, state, &attachment->attached[i]);
	memcpy(detail, attaching->detail, sizeof(detail) - 1);
	worker_memory_free(attaching, sizeof(*attaching));
	attachment->attaching[i] = NULL;
	if (is_accepted(item->verdict))
		attachment->mount_fd[i] = fd_take(&worker->fd);
	else
		tell(attachment->run,
		     &(struct step){ .op = item->step, .subject = attachment->subject[i] },
		     item->verdict, detail);
}

static void leave_attaching(void *ctx, size_t i, const struct worker_holds *holds)
{
	const struct attachment *attachment = ctx;

	attachment->run->items[attachment->subject[i]].left =
		(struct left){ .holds = *holds, .step = step_name((enum step_op)holds->at) };
}

static void describe_layer(struct overlay_layer *layer, const struct merge_item *item)
{
	layer->name = item->image->name;
	layer->path = item->image->path;
	layer->root_hash = trusted_facts(item->trusted)->root_hash;
	layer->class = item->image->class;
}

static void add_layers(struct run *run, const struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->count; i++) {
		if (!is_accepted(run->items[attachment->subject[i]].verdict))
			continue;
		describe_layer(&run->layers[run->layer_count], &run->items[attachment->subject[i]]);
		run->mounted[run->layer_count++] =
			(struct mounted){ .subject = attachment->subject[i],
					  .done = STEP_MOUNT,
					  .attached = attachment->attached[i],
					  .mount_fd = attachment->mount_fd[i] };
	}
}

static struct verdict attach_all(struct run *run)
{
	static struct attachment attachment; /* 60 KB */
	const struct crew crew = { .start = start_attaching,
				   .finish = finish_attaching,
				   .leave = leave_attaching,
				   .ctx = &attachment,
				   .at_a_time = 1 };
	struct verdict v;

	memset(&attachment, 0, sizeof(attachment));
	attachment.run = run;
	if (!take_subjects(&attachment, run))
		return verdict(REASON_UNDECIDED);
	v = crew_run(&crew, attachment.count);
	if (is_accepted(v))
		add_layers(run, &attachment);
	return v;
}

/* ---- the steps of an image ----------------------------------------------------------------- */

/* A usr image has the contents of /usr at its top, a root image has a directory usr there. */
static struct verdict make_mount_point(struct run *run, uint32_t layer)
{
	struct mounted *mounted = &run->mounted[layer];
	const bool is_usr = trusted_facts(item_of(run, layer)->trusted)->layout.role == ROLE_USR;
	struct text path;

	overlay_layer_name(layer, mounted->directory);
	text_init(&path, mounted->mount_point, sizeof(mounted->mount_point));
	text_str(&path, mounted->directory);
	if (mkdirat(run->stage.tree, mounted->directory, 0700) < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	if (is_usr) {
		text_str(&path, "/usr");
		if (mkdirat(run->stage.tree, mounted->mount_point, 0700) < 0)
			return verdict_errno(REASON_KERNEL_MOUNT, errno);
	}
	return verdict(REASON_ACCEPTED);
}

/*
 * Once more, here: no disk is asked for a file system that is mounted already, and it is the whole
 * of it.
 */
static struct verdict put_on_stage(struct run *run, uint32_t layer)
{
	const struct mounted *mounted = &run->mounted[layer];
	const struct facts *facts = trusted_facts(item_of(run, layer)->trusted);
	FD_CLEANUP int fd = -1;
	struct verdict v = make_mount_point(run, layer);

	if (is_accepted(v))
		v = mount_device(filesystem_name(facts->filesystem), MOUNT_NODE_DM,
				 mounted->attached.device, &run->detail, &fd);
	if (is_accepted(v) && sys_move_mount(fd, run->stage.tree, mounted->mount_point) < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	return v;
}

/*
 * By its file's name it was let in before; an image that was renamed has another one, by which it
 * counts.
 */
static struct verdict check_release_name(const struct run *run, struct merge_item *item)
{
	const struct merge_options *options = run->options;
	struct text detail = item_detail(item);
	struct verdict v;

	if (strcmp(item->release_name, item->image->name) == 0)
		return verdict(REASON_ACCEPTED);
	v = options->check_name(options->ctx, item);
	if (!is_accepted(v)) {
		text_str(&detail, "extension-release.");
		text_str(&detail, item->release_name);
	}
	return v;
}

static struct verdict check_content(struct run *run, uint32_t at)
{
	struct merge_item *item = item_of(run, at);
	struct overlay_layer *layer = &run->layers[at];
	struct text detail = item_detail(item);
	FD_CLEANUP int fd = -1;
	struct verdict v = put_on_stage(run, at);

	if (!is_accepted(v))
		return v;
	fd = content_open_directory(run->stage.tree, run->mounted[at].directory);
	if (fd < 0)
		return verdict_errno(REASON_KERNEL_MOUNT, errno);
	v = content_check(fd, item->image->class, item->image->name, &run->host, layer->has,
			  item->release_name, &detail);
	if (is_accepted(v))
		v = check_release_name(run, item);
	return v;
}

/* Where it goes; the directory may have to be made. */
static struct verdict check_places(struct run *run, uint32_t layer)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++)
		if (run->layers[layer].has[i])
			v = place_need(run->stage.root, (enum hierarchy)i, &run->created[i]);
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

/* The one that was admitted already and is the same image under another name, or NULL. */
static const struct overlay_layer *same_as(const struct run *run, uint32_t layer)
{
	const struct overlay_layer *this = &run->layers[layer];

	for (uint32_t i = 0; i < run->layer_count; i++)
		if (run->mounted[i].done >= STEP_FIT && run->layers[i].class == this->class &&
		    memcmp(run->layers[i].root_hash, this->root_hash, VEXT_HASH_SIZE) == 0)
			return &run->layers[i];
	return NULL;
}

static struct verdict fit_layer(struct run *run, uint32_t layer)
{
	struct merge_item *item = item_of(run, layer);
	const struct overlay_layer *same = same_as(run, layer);
	struct text detail = item_detail(item);
	struct verdict v;

	if (same) {
		text_str(&detail, same->name);
		return verdict(REASON_MERGE_SAME);
	}
	if (run->admitted == OVERLAY_LAYERS_MAX)
		return verdict(REASON_SYSTEM_LIMIT);
	v = fit_admit(&run->fit, layer, &item->notes, &detail);
	if (is_accepted(v))
		run->admitted++;
	return v;
}

static struct verdict reload_table(const struct run *run, uint32_t layer)
{
	const struct attach_options options = attach_options(run->options, false);
	const struct attach_order order = order_for(item_of(run, layer), &options, NULL);

	return attach_reload(&order, &run->mounted[layer].attached);
}

/* The image is no layer any more; the overlays that it is in must be made anew. */
static void give_up(struct run *run, uint32_t layer, struct verdict v, const char *detail)
{
	struct mounted *mounted = &run->mounted[layer];
	struct merge_item *item = item_of(run, layer);
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

	return &item_of(run, layer)->notes;
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

/* ---- the assembler ------------------------------------------------------------------------- */

static struct verdict carry_out(struct run *run, const struct step *step, uint32_t layer)
{
	struct verdict v;

	switch (step->op) {
	case STEP_CHECK_CONTENT:
		v = check_content(run, layer);
		return is_accepted(v) ? check_places(run, layer) : v;
	case STEP_FIT:
		return fit_layer(run, layer);
	case STEP_RELOAD:
		return reload_table(run, layer);
	case STEP_OVERLAY:
		return make_overlay(run, (enum hierarchy)step->subject);
	case STEP_CHECK_MERGED:
		return check_merged(run);
	case STEP_LOOP_DATA:
	case STEP_LOOP_TREE:
	case STEP_VERITY:
	case STEP_CHECK_DEVICE:
	case STEP_MOUNT: /* the workers' */
	case STEP_MOVE:	 /* the parent's */
		break;
	}
	return verdict(REASON_UNDECIDED);
}

static struct verdict watched(struct run *run, const struct step *step, uint32_t layer)
{
	text_init(&run->detail, run->detail_bytes, sizeof(run->detail_bytes));
	worker_holds()->at = step->op;
	worker_holds()->subject = layer;
	worker_tick();
	return carry_out(run, step, layer);
}

/* If the step fails the image is no layer any more. */
static void layer_step(struct run *run, const struct step *step, uint32_t layer)
{
	struct merge_item *item = item_of(run, layer);
	const uint64_t start = attach_now();

	item->step = step->op;
	item->verdict = watched(run, step, layer);
	if (is_accepted(item->verdict))
		run->mounted[layer].done = step->op;
	else
		give_up(run, layer, item->verdict, item->detail);
	run->is_stale = false; /* there are no overlays yet */
	item->mount_microseconds += attach_now() - start;
}

static struct verdict whole_step(struct run *run, const struct step *step)
{
	const uint64_t start = attach_now();
	const struct verdict v = watched(run, step, (uint32_t)run->layer_count);

	run->microseconds += attach_now() - start;
	if (!is_accepted(v))
		run->failed = *step;
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
	return true;
}

/* The last one is the parent's: only what was checked as it is may be moved. */
static struct verdict run_whole_step(struct run *run, const struct step *step)
{
	if (!all_are_admitted(run) || step->subject >= HIERARCHIES)
		return verdict(REASON_UNDECIDED);
	if (live_layers(run) == 0)
		return verdict(REASON_ACCEPTED);
	if (step->op != STEP_MOVE)
		return whole_step(run, step);
	if (!run->is_checked || run->is_stale)
		return verdict(REASON_UNDECIDED);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		run->has[i] = run->overlay[i] >= 0;
	return verdict(REASON_ACCEPTED);
}

static struct verdict run_layer_step(struct run *run, const struct step *step)
{
	const uint32_t layer = layer_of(run, step->subject);

	if (step->subject >= run->count)
		return verdict(REASON_UNDECIDED);
	if (!is_accepted(run->items[step->subject].verdict))
		return verdict(REASON_ACCEPTED); /* an earlier step failed and told why */
	if (layer == run->layer_count || run->mounted[layer].done != step->op - 1)
		return verdict(REASON_UNDECIDED);
	layer_step(run, step, layer);
	return verdict(REASON_ACCEPTED);
}

/* Accepted also when an image fell; the verdict is about the whole. */
static struct verdict run_step(struct run *run, const struct step *step)
{
	if (step->op < STEP_CHECK_CONTENT)
		return verdict(REASON_ACCEPTED); /* the workers' */
	return step->op >= STEP_OVERLAY ? run_whole_step(run, step) : run_layer_step(run, step);
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

static struct verdict set_stage(struct run *run)
{
	const struct verdict v = stage_enter(run->root_fd, &run->stage);

	run->fit.stage = &run->stage;
	run->fit.layers = run->layers;
	return is_accepted(v) ? take_bare(run) : v;
}

/* Its end drops the stage, and every mount of it that is not sent to the parent. */
static void assemble_all(void *ctx, int channel)
{
	struct run *run = ctx;
	struct verdict v = set_stage(run);

	for (size_t i = 0; i < run->plan->count && is_accepted(v); i++)
		v = run_step(run, &run->plan->steps[i]);
	run->verdict = v;
	for (unsigned i = 0; i < HIERARCHIES; i++)
		(void)worker_say(channel, is_accepted(v) && run->has[i] ? run->overlay[i] : -1);
}

struct looking {
	struct run *run;
	uint32_t layer;
};

/*
 * Looks through one image as the assembler does, to see whether its disk answers. What comes of it
 * is not looked at: it writes to memory of its own.
 */
static void look_through(void *ctx, int channel)
{
	const struct looking *looking = ctx;
	struct run *run = looking->run;
	static struct merge_item item;

	item = *item_of(run, looking->layer);
	run->items = &item;
	run->mounted[looking->layer].subject = 0;
	if (is_accepted(set_stage(run)) && is_accepted(check_content(run, looking->layer)))
		(void)fit_layer(run, looking->layer);
	(void)worker_say(channel, -1);
}

/* ---- the assembler, from outside ----------------------------------------------------------- */

/*
 * The assembler is the first of a crew. The others look through an image each, and start when it
 * makes no progress: so all images that do not answer are known at the same time.
 */
struct assembly {
	struct run *run;
	struct run *shared; /* the assembler's */
	int overlay[HIERARCHIES];
	bool is_over; /* it has ended, well or not */
	bool is_stuck;
	bool has_no_answer[VEXT_IMAGES_MAX]; /* layers, by those that look; counts if it is stuck */
	struct verdict verdict;		     /* if it is not stuck */
};

static void is_unresponsive(struct run *run, size_t layer)
{
	run->mounted[layer].done = 0;
	item_of(run, (uint32_t)layer)->verdict = verdict(REASON_IMAGE_UNRESPONSIVE);
}

static bool start_assembly(void *ctx, size_t i, struct worker *worker)
{
	struct assembly *assembly = ctx;
	struct looking looking = { .run = assembly->run, .layer = (uint32_t)i - 1 };

	if (i > 0)
		return assembly->run->mounted[i - 1].done != 0 &&
		       is_accepted(worker_start(worker, look_through, &looking, NULL, 0));
	assembly->verdict = worker_start(worker, assemble_all, assembly->shared, NULL, 0);
	assembly->is_over = !is_accepted(assembly->verdict);
	return !assembly->is_over;
}

/*
 * The overlays come as descriptors, one for each hierarchy, or -1. The first one is heard already.
 */
static enum worker_state take_overlays(struct worker *worker, int overlay[HIERARCHIES])
{
	enum worker_state state = WORKER_HEARD;

	for (unsigned i = 0; i < HIERARCHIES && state == WORKER_HEARD; i++) {
		if (i > 0)
			state = worker_wait(worker);
		overlay[i] = fd_take(&worker->fd);
	}
	return state;
}

/* At which image it is stuck; otherwise those that look may find one. */
static void blame(struct run *run, const struct worker_holds *holds)
{
	if (holds->at >= STEP_CHECK_CONTENT && holds->at < STEP_OVERLAY &&
	    holds->subject < run->layer_count)
		is_unresponsive(run, holds->subject);
}

static void finish_assembly(void *ctx, size_t i, struct worker *worker, enum worker_state state)
{
	struct assembly *assembly = ctx;
	struct run *run = assembly->run;

	if (i > 0) {
		assembly->has_no_answer[i - 1] = state == WORKER_STUCK && !assembly->is_over;
		return;
	}
	if (state == WORKER_HEARD)
		state = take_overlays(worker, assembly->overlay);
	assembly->is_stuck = state == WORKER_STUCK;
	assembly->is_over = state != WORKER_STUCK;
	assembly->verdict = verdict(state == WORKER_HEARD ? REASON_ACCEPTED : REASON_SYSTEM_WORKER);
	if (assembly->is_stuck)
		blame(run, worker_holds_of(worker));
}

/* Who looks into an image keeps its devices, which its first worker has made. */
static struct left left_at(const struct run *run, size_t layer, const struct worker_holds *holds,
			   enum step_op op)
{
	const struct attached *attached = &run->mounted[layer].attached;
	struct left left = { .holds = *holds, .step = step_name(op) };

	left.holds.loops = 2;
	left.holds.loop[0] = attached->data;
	left.holds.loop[1] = attached->tree;
	memcpy(left.holds.device, item_of(run, (uint32_t)layer)->device, sizeof(left.holds.device));
	return left;
}

static void leave_assembly(void *ctx, size_t i, const struct worker_holds *holds)
{
	struct assembly *assembly = ctx;
	struct run *run = assembly->run;
	const size_t layer = i > 0 ? i - 1 : holds->subject;
	const enum step_op op = i > 0 ? STEP_FIT : (enum step_op)holds->at;

	if (layer < run->layer_count)
		item_of(run, (uint32_t)layer)->left = left_at(run, layer, holds, op);
	else
		run->left = (struct left){ .holds = *holds, .step = step_name(op) };
}

/* What an assembler before this one has found is found again. */
static void begin_anew(const struct run *run)
{
	for (size_t i = 0; i < run->layer_count; i++) {
		struct merge_item *item = item_of(run, (uint32_t)i);

		if (run->mounted[i].done == 0)
			continue;
		item->verdict = verdict(REASON_ACCEPTED);
		item->step = STEP_MOUNT;
		item->notes = (struct notes){ 0 };
		item->detail[0] = '\0';
	}
}

static void close_overlays(int overlay[HIERARCHIES])
{
	for (unsigned i = 0; i < HIERARCHIES; i++)
		fd_close(&overlay[i]);
}

static struct verdict take_over(const struct assembly *assembly)
{
	struct run *run = assembly->run;
	const struct left left = run->left;

	*run = *assembly->shared;
	run->left = left;
	run->fit = (struct fit){ 0 }; /* its memory was the assembler's */
	memcpy(run->overlay, assembly->overlay, sizeof(run->overlay));
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (is_accepted(run->verdict) && run->has[i] != (run->overlay[i] >= 0))
			run->verdict = verdict(REASON_SYSTEM_WORKER);
	if (!is_accepted(run->verdict))
		tell(run, &run->failed, run->verdict, run->detail_bytes);
	return run->verdict;
}

/* While it is at work nothing is said of its images: it may have them in an overlay by now. */
static void give_up_unresponsive(const struct assembly *assembly)
{
	struct run *run = assembly->run;

	for (size_t i = 0; i < run->layer_count && assembly->is_stuck; i++)
		if (assembly->has_no_answer[i] && run->mounted[i].done != 0)
			is_unresponsive(run, i);
}

/* True: it was stuck, images were given up for it, and it is to be tried anew. */
static bool assemble_once(struct assembly *assembly)
{
	struct run *run = assembly->run;
	const struct crew crew = { .start = start_assembly,
				   .finish = finish_assembly,
				   .leave = leave_assembly,
				   .ctx = assembly,
				   .at_a_time = 1,
				   .is_over = &assembly->is_over };
	const size_t before = live_layers(run);
	struct verdict v;

	*assembly->shared = *run;
	assembly->is_over = assembly->is_stuck = false;
	memset(assembly->has_no_answer, 0, sizeof(assembly->has_no_answer));
	v = crew_run(&crew, run->layer_count + 1);
	give_up_unresponsive(assembly);
	for (unsigned i = 0; i < HIERARCHIES; i++)
		run->created[i] = run->created[i] || assembly->shared->created[i];
	if (!is_accepted(v))
		assembly->verdict = v;
	else if (assembly->is_stuck)
		assembly->verdict = verdict_errno(REASON_SYSTEM_READ, ETIMEDOUT);
	return is_accepted(v) && assembly->is_stuck && live_layers(run) < before;
}

/*
 * Each in memory of its own: who is left behind in the one before is still there, though it has no
 * more to say.
 */
static struct verdict assemble_by_worker(struct run *run)
{
	struct assembly assembly = { .run = run, .overlay = { -1, -1, -1 } };
	bool again = true;

	assembly.verdict = verdict_errno(REASON_SYSTEM_MEMORY, ENOMEM);
	while (again) {
		worker_memory_free(assembly.shared, sizeof(*assembly.shared));
		assembly.shared = worker_memory(sizeof(*assembly.shared));
		again = assembly.shared != NULL && assemble_once(&assembly);
		if (again)
			begin_anew(run);
	}
	if (is_accepted(assembly.verdict))
		assembly.verdict = take_over(&assembly);
	else
		close_overlays(assembly.overlay);
	worker_memory_free(assembly.shared, sizeof(*assembly.shared));
	return assembly.verdict;
}

static void tell_refused(const struct run *run)
{
	for (size_t i = 0; i < run->layer_count; i++) {
		const struct merge_item *item = item_of(run, (uint32_t)i);

		if (!is_accepted(item->verdict))
			tell(run,
			     &(struct step){ .op = item->step, .subject = run->mounted[i].subject },
			     item->verdict, "");
	}
}

/* ---- the whole ----------------------------------------------------------------------------- */

static struct verdict attach_overlays(struct run *run)
{
	struct verdict v = verdict(REASON_ACCEPTED);

	for (unsigned i = 0; i < HIERARCHIES && is_accepted(v); i++) {
		const struct step move = { .op = STEP_MOVE };

		if (run->overlay[i] < 0)
			continue;
		v = overlay_attach(run->overlay[i], run->root_fd, (enum hierarchy)i);
		run->attached[i] = is_accepted(v);
		if (!is_accepted(v))
			tell(run, &move, v, "");
	}
	return v;
}

static void undo_all(struct run *run)
{
	for (unsigned i = HIERARCHIES; i > 0; i--) {
		if (run->attached[i - 1])
			overlay_detach(run->overlay[i - 1]);
		run->attached[i - 1] = false;
	}
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

/* Is all in place that the layers have? Not so after a plan that lacks its last steps. */
static bool is_complete(const struct run *run)
{
	for (size_t i = 0; i < run->layer_count; i++)
		for (unsigned h = 0; h < HIERARCHIES; h++)
			if (run->layers[i].has[h] && !run->attached[h])
				return false;
	return true;
}

/* What is plain is looked at before a device is made. */
static struct verdict run_all(struct run *run)
{
	struct verdict v = need_unmerged(run);

	if (is_accepted(v))
		v = need_usr(run);
	if (is_accepted(v))
		v = content_read_host(run->root_fd, &run->host);
	if (is_accepted(v))
		v = attach_all(run);
	if (is_accepted(v) && run->layer_count > 0)
		v = assemble_by_worker(run);
	if (is_accepted(v)) {
		tell_refused(run);
		v = attach_overlays(run);
	}
	if (is_accepted(v) && !is_complete(run))
		v = verdict(REASON_UNDECIDED);
	return v;
}

/* The mounts that are not in place by now go, and with them the devices. */
static struct verdict clean_up(struct run *run, struct verdict v)
{
	struct worker keeper;
	struct worker_holds holds;

	worker_keep(&keeper);
	if (!is_accepted(v))
		undo_all(run);
	close_overlays(run->overlay);
	for (size_t i = 0; i < run->layer_count; i++)
		fd_close(&run->mounted[i].mount_fd);
	if (!worker_end(&keeper, &holds))
		run->left = (struct left){ .holds = holds, .step = step_name(STEP_MOUNT) };
	for (unsigned i = 0; i < HIERARCHIES; i++)
		if (run->created[i] && !run->attached[i])
			place_remove(run->root_fd, (enum hierarchy)i);
	return v;
}

/* Without a merge there are no devices either. */
static struct verdict conclude(struct run *run, struct verdict v, struct merge_result *result)
{
	struct merge_result reached = { .merged = 0 };

	for (size_t i = 0; i < run->count; i++)
		if (!is_accepted(v) || !is_accepted(run->items[i].verdict))
			run->items[i].device[0] = '\0';
	if (is_accepted(v)) {
		reached.merged = live_layers(run);
		reached.microseconds = run->microseconds;
		for (unsigned i = 0; i < HIERARCHIES; i++)
			reached.hierarchy[i] = run->attached[i];
	}
	reached.left = run->left;
	*result = reached;
	return v;
}

static void reset(struct merge_item *item)
{
	item->verdict = verdict(REASON_UNDECIDED);
	item->step = 0;
	item->attach_microseconds = 0;
	item->mount_microseconds = 0;
	item->kernel_checked = false;
	item->notes = (struct notes){ 0 };
	item->detail[0] = '\0';
	item->device[0] = '\0';
	item->release_name[0] = '\0';
}

struct verdict execute_plan(const struct plan *plan, const struct merge_options *options,
			    int root_fd, struct merge_item items[], size_t count,
			    const struct merge_observer *observer, struct merge_result *result)
{
	static struct run run; /* 250 KB */
	struct verdict v = verdict(REASON_ACCEPTED);

	run = (struct run){
		.plan = plan,
		.options = options,
		.root_fd = root_fd,
		.items = items,
		.count = count,
		.observer = observer,
		.stage = STAGE_NONE,
		.overlay = { -1, -1, -1 },
	};
	for (size_t i = 0; i < count; i++)
		if (items[i].trusted != NULL)
			reset(&items[i]);
	if (plan->count > 0)
		v = clean_up(&run, run_all(&run));
	return conclude(&run, v, result);
}

static struct verdict attach_by_worker(struct merge_item *item,
				       const struct attach_options *options,
				       struct attaching *attaching)
{
	struct worker worker;
	struct worker_holds holds = { 0 };
	struct attached attached;
	struct verdict v = start_item(item, options, attaching, &worker);

	if (!is_accepted(v))
		return v;
	finish_item(item, options, attaching, &worker, worker_wait(&worker), &attached);
	if (!worker_end(&worker, &holds))
		item->left = (struct left){ .holds = holds,
					    .step = step_name((enum step_op)holds.at) };
	return item->verdict;
}

struct verdict execute_attach(struct merge_item *item, const struct merge_options *options)
{
	const struct attach_options how = attach_options(options, true);
	struct attaching *attaching = worker_memory(sizeof(*attaching));

	reset(item);
	item->verdict = attach_by_worker(item, &how, attaching);
	worker_memory_free(attaching, sizeof(*attaching));
	image_close(item->image);
	return item->verdict;
}
