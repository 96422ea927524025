/* SPDX-License-Identifier: Apache-2.0 */
/* One function a command; argv[0] is the command's name. They print, and return an exit status. */
#ifndef VEXT_COMMANDS_H
#define VEXT_COMMANDS_H

#include "report.h"

enum exit_status command_verify(int argc, char **argv);
enum exit_status command_inspect(int argc, char **argv);
enum exit_status command_boot(int argc, char **argv);
enum exit_status command_merge(int argc, char **argv);
enum exit_status command_unmerge(int argc, char **argv);
enum exit_status command_list(int argc, char **argv);
enum exit_status command_status(int argc, char **argv);
enum exit_status command_attach(int argc, char **argv);
enum exit_status command_detach(int argc, char **argv);
enum exit_status command_open(int argc, char **argv);
enum exit_status command_close(int argc, char **argv);
enum exit_status command_anchors(int argc, char **argv);
enum exit_status command_yields(int argc, char **argv);

/* getopt_long(3) has already said what is wrong; says where the usage stands. */
enum exit_status usage_error(const char *command);

#endif
