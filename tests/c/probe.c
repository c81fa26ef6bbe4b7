/* A plugin that shows what the host does: how many calls of a serial group run at once, and which limits
 * reach a solver. */
#include "imle_plugin.h"

#include <time.h>

static int32_t inside = 0;

struct imle_instance {
  int unused;
};
static struct imle_instance the_instance;
static int the_workspace;

static int32_t create(const char *config, uint64_t length, imle_instance **instance, imle_sink *error) {
  (void)config;
  (void)length;
  (void)error;
  *instance = &the_instance;
  return IMLE_OK;
}

static void destroy(imle_instance *instance) { (void)instance; }

static int32_t info(const imle_instance *instance, imle_info *out, imle_sink *error) {
  (void)instance;
  (void)error;
  out->dim = 2;
  out->z_lower = 0.0;
  out->z_upper = 1e9;
  return IMLE_OK;
}

static int32_t workspace_create(const imle_instance *instance, imle_workspace **workspace,
                                imle_sink *error) {
  (void)instance;
  (void)error;
  *workspace = (imle_workspace *)&the_workspace;
  return IMLE_OK;
}

static void workspace_destroy(imle_workspace *workspace) { (void)workspace; }

/* z = (calls that are inside, 0) */
static int32_t solve_crowd(const imle_instance *instance, imle_workspace *workspace,
                           const imle_solve_arguments *arguments, imle_sink *error) {
  (void)instance;
  (void)workspace;
  (void)error;
  for (uint64_t row = 0; row < arguments->rows; row++) {
    double *z = arguments->z + 2 * row;
    struct timespec pause = {0, 1000000};
    int32_t crowd = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    nanosleep(&pause, NULL);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    z[0] = crowd;
    z[1] = 0.0;
    arguments->objective[row] = z[0] * arguments->theta[2 * row];
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

/* z = (the time limit in seconds, whether there is a stop word) */
static int32_t solve_limits(const imle_instance *instance, imle_workspace *workspace,
                            const imle_solve_arguments *arguments, imle_sink *error) {
  (void)instance;
  (void)workspace;
  (void)error;
  for (uint64_t row = 0; row < arguments->rows; row++) {
    double *z = arguments->z + 2 * row;
    const double *theta = arguments->theta + 2 * row;
    z[0] = arguments->time_limit;
    z[1] = arguments->stop != NULL;
    arguments->objective[row] = z[0] * theta[0] + z[1] * theta[1];
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

static const uint32_t the_extension = sizeof(uint32_t); /* a table: its struct_size */

static const void *extension(const char *id) {
  const char *known = "imle.probe/1";
  while (*id != '\0' && *id == *known) {
    id++;
    known++;
  }
  return *id == *known ? &the_extension : NULL;
}

#define SOLVER(solver_name, group, solve_function)                                                     \
  {                                                                                                    \
    sizeof(imle_solver), 0, solver_name, NULL, group, NULL, create, destroy, info, workspace_create,   \
        workspace_destroy, solve_function, extension                                                   \
  }

static const imle_solver crowd_one = SOLVER("crowd-one", "probe", solve_crowd);
static const imle_solver crowd_two = SOLVER("crowd-two", "probe", solve_crowd);
static const imle_solver crowd_free = SOLVER("crowd-free", NULL, solve_crowd);
static const imle_solver limits = SOLVER("limits", NULL, solve_limits);
static const imle_solver *const solvers[] = {&crowd_one, &crowd_two, &crowd_free, &limits};

static const imle_plugin plugin = {
    sizeof(imle_plugin), IMLE_ABI_MINOR, 0, 0, "probe", "1.0.0", NULL, 4, solvers,
};

const imle_plugin *imle_plugin_v1(uint32_t host_minor, imle_sink *error) {
  (void)host_minor;
  (void)error;
  return &plugin;
}
