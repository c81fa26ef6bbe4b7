/* Plugins that break the contract, one for each MODE_ that this file is compiled with.
 *
 * The base is a solver of one-hot vectors of three coordinates that does everything right, called "bad".
 * A mode replaces one piece of it, named by a macro; the last section lists the pieces. None of this is an
 * example to follow. tests/bad_plugins.rs says what a host makes of each mode.
 */
#include "imle_plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM 3

/* Says something, on whatever sink, with its exact length. */
#define SAY(sink, literal) (sink)->write(sink, literal, sizeof(literal) - 1)

/* ---- the modes: loading -------------------------------------------------------------------------- */

#if defined MODE_good
#elif defined MODE_other_major
#define ENTRY imle_plugin_v2
#elif defined MODE_refuses_silently
#define ON_ENTRY return NULL;
#elif defined MODE_refuses_with_reason
#define ON_ENTRY SAY(error, "host_minor is odd"); return NULL;
#elif defined MODE_chats_on_success
#define ON_ENTRY SAY(error, "hello");
#define ON_CREATE SAY(error, "hello");
#define ON_INFO SAY(error, "hello");
#define ON_RETURN SAY(error, "hello");

#elif defined MODE_plugin_size_zero
#define PLUGIN_SIZE 0
#elif defined MODE_plugin_size_small
#define PLUGIN_SIZE (IMLE_PLUGIN_SIZE_1_0 - 8)
#elif defined MODE_solver_size_zero
#define SOLVER_SIZE 0
#elif defined MODE_solver_size_small
#define SOLVER_SIZE (IMLE_SOLVER_SIZE_1_0 - 8)
#elif defined MODE_newer
#define PLUGIN_SIZE sizeof(struct newer_plugin)
#define SOLVER_SIZE sizeof(struct newer_solver)
#define MINOR 7
#define PLUGIN_FLAGS 0xfffffffeu /* all that nobody knows yet */
#define ON_INFO info->flags |= 0xfffffffeu;

#elif defined MODE_no_solvers
#define SOLVER_COUNT 0
#elif defined MODE_too_many_solvers
#define SOLVER_COUNT (UINT64_C(1) << 40)
#elif defined MODE_solvers_null
#define SOLVERS NULL
#elif defined MODE_solvers_not_aligned
#define SOLVERS ((const imle_solver *const *)(const void *)((const char *)solvers + 4))
#elif defined MODE_solver_null
#define FIRST_SOLVER NULL
#elif defined MODE_duplicate_name
#define SECOND_NAME "bad"

#elif defined MODE_name_null
#define NAME NULL
#elif defined MODE_name_empty
#define NAME ""
#elif defined MODE_name_not_utf8
#define NAME "b\xe4" "d"
#elif defined MODE_summary_not_utf8
#define SUMMARY "b\xe4" "d"
#elif defined MODE_serial_group_not_utf8
#define SERIAL_GROUP "b\xe4" "d"
#elif defined MODE_plugin_name_null
#define PLUGIN_NAME NULL
#elif defined MODE_plugin_name_empty
#define PLUGIN_NAME ""
#elif defined MODE_plugin_name_not_utf8
#define PLUGIN_NAME "b\xe4" "d"
#elif defined MODE_plugin_version_null
#define PLUGIN_VERSION NULL
#elif defined MODE_plugin_license_not_utf8
#define PLUGIN_LICENSE "b\xe4" "d"
#elif defined MODE_optional_null
#define SUMMARY NULL
#define SERIAL_GROUP NULL
#define PLUGIN_LICENSE NULL
#define CONFIG_SCHEMA NULL
#define EXTENSION NULL

#elif defined MODE_create_null
#define CREATE NULL
#elif defined MODE_destroy_null
#define DESTROY NULL
#elif defined MODE_info_null
#define INFO NULL
#elif defined MODE_workspace_create_null
#define WORKSPACE_CREATE NULL
#elif defined MODE_workspace_destroy_null
#define WORKSPACE_DESTROY NULL
#elif defined MODE_solve_null
#define SOLVE NULL

/* ---- the modes: schema, create, info, workspace -------------------------------------------------- */

#elif defined MODE_schema_fails
#define ON_SCHEMA return imle_fail(error, IMLE_E_UNSUPPORTED, "written on paper only");
#elif defined MODE_schema_not_json
#define ON_SCHEMA SAY(schema, "see the manual"); return IMLE_OK;
#elif defined MODE_schema_not_utf8
#define ON_SCHEMA SAY(schema, "{\"title\": \"b\xe4" "d\"}"); return IMLE_OK;

#elif defined MODE_create_fails_silently
#define ON_CREATE return IMLE_E_INVALID_CONFIG;
#elif defined MODE_create_fails_with_nul
#define ON_CREATE SAY(error, "before\0after"); return IMLE_E_INVALID_CONFIG;
#elif defined MODE_create_fails_not_utf8
#define ON_CREATE SAY(error, "caf\xe9 is closed"); return IMLE_E_INVALID_CONFIG;
#elif defined MODE_create_fails_at_length
#define ON_CREATE return fail_at_length(error);
#elif defined MODE_create_fails_in_pieces
#define ON_CREATE SAY(error, "one, "); SAY(error, ""); error->write(error, NULL, 0); SAY(error, "two"); \
  return IMLE_E_INFEASIBLE;
#elif defined MODE_create_fails_with_instance
#define ON_CREATE *instance = (imle_instance *)8; return imle_fail(error, IMLE_E_IO, "disk is full");
#elif defined MODE_create_code_unknown
#define ON_CREATE return imle_fail(error, 4000, "from the future");
#elif defined MODE_create_code_negative
#define ON_CREATE return imle_fail(error, -7, "from the past");
#elif defined MODE_create_no_instance
#define ON_CREATE *instance = NULL; return IMLE_OK;

#elif defined MODE_info_fails
#define ON_INFO return imle_fail(error, IMLE_E_BACKEND_FAILED, "cannot count");
#elif defined MODE_info_writes_nothing
#define ON_ENTER_INFO return IMLE_OK;
#elif defined MODE_info_dim_zero
#define ON_INFO info->dim = 0;
#elif defined MODE_info_dim_huge
#define ON_INFO info->dim = UINT64_C(1) << 40;
#elif defined MODE_info_lower_nan
#define ON_INFO info->z_lower = NAN;
#elif defined MODE_info_upper_nan
#define ON_INFO info->z_upper = NAN;
#elif defined MODE_info_bounds_crossed
#define ON_INFO info->z_lower = 1.0; info->z_upper = 0.0;
#elif defined MODE_info_too_many_ones
#define ON_INFO info->ones = DIM + 1;

#elif defined MODE_workspace_fails
#define ON_WORKSPACE return imle_fail(error, IMLE_E_BACKEND_FAILED, "no seats left");
#elif defined MODE_no_workspace
#define ON_WORKSPACE *workspace = NULL; return IMLE_OK;

/* ---- the modes: solve -------------------------------------------------------------------------------
 *
 * ON_ROW runs when `row` is solved but for its status; `continue` leaves it unset. */

#elif defined MODE_solve_does_nothing
#define ON_SOLVE return IMLE_OK;
#elif defined MODE_forgets_row
#define ON_ROW SECOND_ROW(continue;)

#elif defined MODE_z_too_large
#define ON_ROW SECOND_ROW(z[2] = 7.0;)
#elif defined MODE_z_too_small
#define ON_ROW SECOND_ROW(z[0] = -1.0;)
#elif defined MODE_z_fraction
#define ON_ROW SECOND_ROW(z[0] = z[1] = 0.5; z[2] = 0.0;)
#elif defined MODE_z_nan
#define ON_ROW SECOND_ROW(z[2] = NAN;)
#elif defined MODE_z_infinite
#define ON_INFO info->z_upper = INFINITY; info->ones = IMLE_ONES_VARY;
#define ON_ROW SECOND_ROW(z[2] = INFINITY;)
#elif defined MODE_too_many_ones
#define ON_ROW SECOND_ROW(z[0] = z[1] = z[2] = 1.0;)
#elif defined MODE_too_few_ones
#define ON_ROW SECOND_ROW(z[0] = z[1] = z[2] = 0.0;)

#elif defined MODE_objective_nan
#define ON_ROW SECOND_ROW(arguments->objective[row] = NAN;)
#elif defined MODE_objective_wrong
#define ON_ROW SECOND_ROW(arguments->objective[row] += 0.25;)
#elif defined MODE_objective_forgotten
#define ON_ROW SECOND_ROW(arguments->objective[row] = objective_before;)
#elif defined MODE_bound_nan
#define ON_ROW SECOND_ROW(arguments->bound[row] = NAN;)
#elif defined MODE_bound_too_low
#define ON_ROW SECOND_ROW(arguments->bound[row] = arguments->objective[row] - 0.25;)
#elif defined MODE_radius_nan
#define ON_ROW SECOND_ROW(arguments->radius[row] = NAN;)
#elif defined MODE_radius_negative
#define ON_ROW SECOND_ROW(arguments->radius[row] = -0.5;)

#elif defined MODE_row_fails
#define ON_ROW SECOND_ROW(imle_fail_row(arguments, row, IMLE_E_INFEASIBLE, "no way out"); continue;)
#elif defined MODE_row_fails_silently
#define ON_ROW SECOND_ROW(arguments->status[row] = IMLE_E_INFEASIBLE; continue;)
#elif defined MODE_row_fails_not_utf8
#define ON_ROW SECOND_ROW(imle_fail_row(arguments, row, IMLE_E_INFEASIBLE, "caf\xe9 is shut"); continue;)
#elif defined MODE_row_status_unknown
#define ON_ROW SECOND_ROW(imle_fail_row(arguments, row, 4000, "from the future"); continue;)
#elif defined MODE_row_status_negative
#define ON_ROW SECOND_ROW(imle_fail_row(arguments, row, -7, "from the past"); continue;)
#elif defined MODE_message_for_no_row
#define ON_ROW SECOND_ROW(arguments->row_message(arguments->host, 1000, "nobody's", 8); \
                          arguments->row_message(arguments->host, 0, "not failed", 10);)

#elif defined MODE_call_fails
#define ON_SOLVE return imle_fail(error, IMLE_E_BACKEND_FAILED, "licence expired");
#elif defined MODE_call_fails_silently
#define ON_SOLVE return IMLE_E_BACKEND_FAILED;
#elif defined MODE_call_code_unknown
#define ON_SOLVE return imle_fail(error, 4000, "from the future");
#elif defined MODE_call_code_negative
#define ON_SOLVE return imle_fail(error, -7, "from the past");
#elif defined MODE_call_code_unset
#define ON_SOLVE return imle_fail(error, IMLE_UNSET, "never happened");
#elif defined MODE_call_fails_midway
#define ON_ROW SECOND_ROW(return imle_fail(error, IMLE_E_LIMIT_REACHED, "out of time");)
#elif defined MODE_call_fails_at_end
#define ON_RETURN return imle_fail(error, IMLE_E_BACKEND_FAILED, "cannot say goodbye");

#elif defined MODE_panics_once
#define ON_SOLVE \
  if (workspace->poisoned) return imle_fail(error, IMLE_E_POISONED, "the same workspace again"); \
  if (panics > workspaces_destroyed) return imle_fail(error, IMLE_E_IO, "the old workspace is still there");
#define ON_ROW if (row == 1 && panics == 0) { PANIC; }
#define BEFORE_PANIC imle_fail_row(arguments, row, IMLE_E_PANIC, "slipped");
#elif defined MODE_panics_at_once
#define ON_SOLVE if (panics == 0) { PANIC; }
#elif defined MODE_panics_midway
#define ON_ROW if (row == 1 && panics == 0) { PANIC; }
#elif defined MODE_panics_after_last_row
/* Sets the last row alone and panics; the next call scribbles over its z and gives up. */
#define ON_SOLVE if (panics > 0) { memset(arguments->z, 0xff, arguments->rows * DIM * sizeof(double)); \
                                   return imle_fail(error, IMLE_E_BACKEND_FAILED, "gave up"); }
#define ON_ROW if (row + 1 < arguments->rows) continue;
#define ON_RETURN PANIC;
#elif defined MODE_panics_always
#define ON_SOLVE PANIC;
#elif defined MODE_poisoned_from_birth
#define ON_SOLVE return imle_fail(error, IMLE_E_POISONED, "born like this");

/* ---- the modes: marginals ---------------------------------------------------------------------------
 *
 * ON_MARGINALS_ROW is to marginals what ON_ROW is to solve. */

#elif defined MODE_marginals_good
#elif defined MODE_marginals_size_small
#define MARGINALS_SIZE (IMLE_MARGINALS_SIZE_1_0 - 8)
#elif defined MODE_marginals_not_aligned
#define MARGINALS_TABLE ((const char *)&marginals_table + 4)
#elif defined MODE_marginals_function_null
#define MARGINALS NULL
#elif defined MODE_marginals_unsupported
#define ON_MARGINALS return imle_fail(error, IMLE_E_UNSUPPORTED, "not for this instance");
#elif defined MODE_marginals_row_forgotten
#define ON_MARGINALS_ROW SECOND_ROW(continue;)
#elif defined MODE_marginals_row_fails
#define ON_MARGINALS_ROW SECOND_ROW(arguments->row_message(arguments->host, row, "too wide", 8); \
                                    arguments->status[row] = IMLE_E_LIMIT_REACHED; continue;)
#elif defined MODE_mu_nan
#define ON_MARGINALS_ROW SECOND_ROW(mu[2] = NAN;)
#elif defined MODE_mu_too_large
#define ON_MARGINALS_ROW SECOND_ROW(mu[0] = 1.25;)
#elif defined MODE_mu_wrong_sum
#define ON_MARGINALS_ROW SECOND_ROW(mu[0] = 0.5;)
#elif defined MODE_log_partition_infinite
#define ON_MARGINALS_ROW SECOND_ROW(arguments->log_partition[row] = INFINITY;)
#elif defined MODE_log_partition_forgotten
#define ON_MARGINALS_ROW SECOND_ROW(arguments->log_partition[row] = log_partition_before;)
#elif defined MODE_marginals_panic_once
#define ON_MARGINALS \
  if (workspace->poisoned) return imle_fail(error, IMLE_E_POISONED, "the same workspace again");
#define ON_MARGINALS_ROW if (row == 1 && panics == 0) { PANIC; }

#else
#error "no such mode"
#endif

/* ---- the pieces that the mode left alone --------------------------------------------------------- */

#define SECOND_ROW(...) if (row == 1) { __VA_ARGS__ }
#define PANIC \
  panics++; workspace->poisoned = 1; BEFORE_PANIC return imle_fail(error, IMLE_E_PANIC, "slipped")

#ifndef ENTRY
#define ENTRY imle_plugin_v1
#endif
#ifndef ON_ENTRY
#define ON_ENTRY
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(imle_plugin)
#endif
#ifndef SOLVER_SIZE
#define SOLVER_SIZE sizeof(imle_solver)
#endif
#ifndef MINOR
#define MINOR IMLE_ABI_MINOR
#endif
#ifndef PLUGIN_FLAGS
#define PLUGIN_FLAGS 0
#endif
#ifndef PLUGIN_NAME
#define PLUGIN_NAME "bad-plugin"
#endif
#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION "1.0.0"
#endif
#ifndef PLUGIN_LICENSE
#define PLUGIN_LICENSE "MIT"
#endif
#ifndef SOLVER_COUNT
#define SOLVER_COUNT 2
#endif
#ifndef SOLVERS
#define SOLVERS solvers
#endif
#ifndef FIRST_SOLVER
#define FIRST_SOLVER &first.known
#endif
#ifndef NAME
#define NAME "bad"
#endif
#ifndef SECOND_NAME
#define SECOND_NAME "worse"
#endif
#ifndef SUMMARY
#define SUMMARY "breaks one rule"
#endif
#ifndef SERIAL_GROUP
#define SERIAL_GROUP NULL
#endif
#ifndef CONFIG_SCHEMA
#define CONFIG_SCHEMA config_schema
#endif
#ifndef CREATE
#define CREATE create
#endif
#ifndef DESTROY
#define DESTROY destroy
#endif
#ifndef INFO
#define INFO info
#endif
#ifndef WORKSPACE_CREATE
#define WORKSPACE_CREATE workspace_create
#endif
#ifndef WORKSPACE_DESTROY
#define WORKSPACE_DESTROY workspace_destroy
#endif
#ifndef SOLVE
#define SOLVE solve
#endif
#ifndef EXTENSION
#define EXTENSION extension
#endif
#ifndef ON_SCHEMA
#define ON_SCHEMA
#endif
#ifndef ON_CREATE
#define ON_CREATE
#endif
#ifndef ON_ENTER_INFO
#define ON_ENTER_INFO
#endif
#ifndef ON_INFO
#define ON_INFO
#endif
#ifndef ON_WORKSPACE
#define ON_WORKSPACE
#endif
#ifndef ON_SOLVE
#define ON_SOLVE
#endif
#ifndef ON_ROW
#define ON_ROW
#endif
#ifndef ON_RETURN
#define ON_RETURN
#endif
#ifndef BEFORE_PANIC
#define BEFORE_PANIC
#endif

#ifndef MARGINALS_SIZE
#define MARGINALS_SIZE sizeof(imle_marginals)
#endif
#ifndef MARGINALS
#define MARGINALS marginals
#endif
#ifndef MARGINALS_TABLE
#define MARGINALS_TABLE &marginals_table
#endif
#ifndef ON_MARGINALS
#define ON_MARGINALS
#endif
#ifndef ON_MARGINALS_ROW
#define ON_MARGINALS_ROW
#endif

/* ---- the base ---------------------------------------------------------------------------------------
 *
 * With external linkage and hidden by the compiler's flag, so that a piece which a mode does not use is no
 * warning. */

struct imle_instance {
  int unused;
};

struct imle_workspace {
  int poisoned;
};

int panics;
int workspaces_destroyed;

int32_t fail_at_length(imle_sink *error) {
  static char text[10 << 20];
  memset(text, 'a', sizeof text);
  error->write(error, text, sizeof text);
  error->write(error, text, sizeof text);
  return IMLE_E_INVALID_CONFIG;
}

int32_t config_schema(imle_sink *schema, imle_sink *error) {
  (void)error;
  ON_SCHEMA
  SAY(schema, "{}");
  return IMLE_OK;
}

int32_t create(const char *config, uint64_t length, imle_instance **instance, imle_sink *error) {
  (void)config, (void)length, (void)error;
  ON_CREATE
  *instance = calloc(1, sizeof **instance);
  return IMLE_OK;
}

void destroy(imle_instance *instance) {
  free(instance);
}

int32_t info(const imle_instance *instance, imle_info *info, imle_sink *error) {
  (void)instance, (void)error;
  ON_ENTER_INFO
  info->flags = IMLE_INFO_INTEGRAL;
  info->dim = DIM;
  info->ones = 1;
  info->z_lower = 0.0;
  info->z_upper = 1.0;
  ON_INFO
  return IMLE_OK;
}

int32_t workspace_create(const imle_instance *instance, imle_workspace **workspace, imle_sink *error) {
  (void)instance, (void)error;
  ON_WORKSPACE
  *workspace = calloc(1, sizeof **workspace);
  return IMLE_OK;
}

void workspace_destroy(imle_workspace *workspace) {
  workspaces_destroyed++;
  free(workspace);
}

int32_t solve(const imle_instance *instance, imle_workspace *workspace,
              const imle_solve_arguments *arguments, imle_sink *error) {
  (void)instance, (void)workspace, (void)error;
  ON_SOLVE
  for (uint64_t row = 0; row < arguments->rows; row++) {
    const double *theta = arguments->theta + row * DIM;
    double *z = arguments->z + row * DIM;
    double objective_before = arguments->objective[row];
    (void)objective_before;
    int best = 0;
    for (int i = 1; i < DIM; i++) {
      best = theta[i] > theta[best] ? i : best;
    }
    memset(z, 0, DIM * sizeof *z);
    z[best] = 1.0;
    arguments->objective[row] = theta[best];
    ON_ROW
    arguments->status[row] = IMLE_OK;
  }
  ON_RETURN
  return IMLE_OK;
}

/* Right where all of theta is zero. */
int32_t marginals(const imle_instance *instance, imle_workspace *workspace,
                  const imle_marginals_arguments *arguments, imle_sink *error) {
  (void)instance, (void)workspace, (void)error;
  ON_MARGINALS
  for (uint64_t row = 0; row < arguments->rows; row++) {
    double *mu = arguments->mu + row * DIM;
    double log_partition_before = arguments->log_partition[row];
    (void)log_partition_before;
    mu[0] = mu[1] = mu[2] = 1.0 / 3.0;
    arguments->log_partition[row] = log(3.0);
    ON_MARGINALS_ROW
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

const imle_marginals marginals_table = {MARGINALS_SIZE, 0, MARGINALS};

const void *extension(const char *id) {
  return strcmp(id, IMLE_EXTENSION_MARGINALS) == 0 ? MARGINALS_TABLE : NULL;
}

/* Tables of a later minor version: ours, and pointers that lead nowhere to whoever reads them. */
struct newer_solver {
  imle_solver known;
  const char *unknown[4];
};
struct newer_plugin {
  imle_plugin known;
  const char *unknown[4];
};

#define NOWHERE {(const char *)8, (const char *)8, (const char *)8, (const char *)8}
#define TABLE(its_name) { \
    .known = { \
        .struct_size = SOLVER_SIZE, \
        .name = its_name, \
        .summary = SUMMARY, \
        .serial_group = SERIAL_GROUP, \
        .config_schema = CONFIG_SCHEMA, \
        .create = CREATE, \
        .destroy = DESTROY, \
        .info = INFO, \
        .workspace_create = WORKSPACE_CREATE, \
        .workspace_destroy = WORKSPACE_DESTROY, \
        .solve = SOLVE, \
        .extension = EXTENSION, \
    }, \
    .unknown = NOWHERE}

const struct newer_solver first = TABLE(NAME);
const struct newer_solver second = TABLE(SECOND_NAME);
const imle_solver *const solvers[] = {FIRST_SOLVER, &second.known};

const struct newer_plugin plugin = {
    .known = {
        .struct_size = PLUGIN_SIZE,
        .abi_minor = MINOR,
        .flags = PLUGIN_FLAGS,
        .name = PLUGIN_NAME,
        .version = PLUGIN_VERSION,
        .license = PLUGIN_LICENSE,
        .solver_count = SOLVER_COUNT,
        .solvers = SOLVERS,
    },
    .unknown = NOWHERE};

IMLE_EXPORT const imle_plugin *ENTRY(uint32_t host_minor, imle_sink *error) {
  (void)host_minor, (void)error;
  ON_ENTRY
  return &plugin.known;
}
