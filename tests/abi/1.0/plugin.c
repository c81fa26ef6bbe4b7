/* A plugin as somebody compiled it against version 1.0 of the header, which lies beside this file. Neither
 * changes any more: every later host must load it.
 *
 * Configuration: how many coordinates, a bare JSON integer from 1 to 9. A state is one of them, or none. It
 * uses every field of version 1.0. */
#include "imle_plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct imle_instance {
  uint64_t dim;
};

struct imle_workspace {
  uint64_t solved;
};

static int32_t config_schema(imle_sink *schema, imle_sink *error) {
  (void)error;
  imle_write(schema, "{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 9}");
  return IMLE_OK;
}

static int32_t create(const char *config, uint64_t length, imle_instance **instance, imle_sink *error) {
  if (length != 1 || config[0] < '1' || config[0] > '9') {
    return imle_fail(error, IMLE_E_INVALID_CONFIG, "expected an integer from 1 to 9");
  }
  *instance = malloc(sizeof **instance);
  if (*instance == NULL) {
    return imle_fail(error, IMLE_E_BACKEND_FAILED, "memory ran out");
  }
  (*instance)->dim = (uint64_t)(config[0] - '0');
  return IMLE_OK;
}

static void destroy(imle_instance *instance) { free(instance); }

static int32_t info(const imle_instance *instance, imle_info *info, imle_sink *error) {
  if (info->struct_size < IMLE_INFO_SIZE_1_0) {
    return imle_fail(error, IMLE_E_ABI_MISMATCH, "imle_info is smaller than in version 1.0");
  }
  info->flags = IMLE_INFO_INTEGRAL;
  info->dim = instance->dim;
  info->ones = IMLE_ONES_VARY;
  info->z_lower = 0.0;
  info->z_upper = 1.0;
  info->theta_domain = IMLE_THETA_ANY;
  return IMLE_OK;
}

static int32_t workspace_create(const imle_instance *instance, imle_workspace **workspace,
                                imle_sink *error) {
  (void)instance;
  *workspace = calloc(1, sizeof **workspace);
  return *workspace != NULL ? IMLE_OK : imle_fail(error, IMLE_E_BACKEND_FAILED, "memory ran out");
}

static void workspace_destroy(imle_workspace *workspace) { free(workspace); }

/* The largest coordinate if it is positive, the lower index among equal ones; dim for none. */
static uint64_t choose(const double *theta, uint64_t dim) {
  uint64_t best = dim;
  for (uint64_t i = 0; i < dim; i++) {
    if (theta[i] > (best == dim ? 0.0 : theta[best])) {
      best = i;
    }
  }
  return best;
}

/* Half of what the next best state, which may be the empty one, is worse. */
static double radius_of(const double *theta, uint64_t dim, uint64_t best) {
  double value = best == dim ? 0.0 : theta[best];
  double gap = best == dim ? INFINITY : value;
  for (uint64_t i = 0; i < dim; i++) {
    if (i != best && value - theta[i] < gap) {
      gap = value - theta[i];
    }
  }
  return gap > 0.0 ? nextafter(gap / 2.0, 0.0) : 0.0;
}

/* Above this the plugin declines, so that a failed row has something to say. */
static const double too_hot = 1e6;

static int32_t solve(const imle_instance *instance, imle_workspace *workspace,
                     const imle_solve_arguments *arguments, imle_sink *error) {
  uint64_t dim = instance->dim;
  if (arguments->struct_size < IMLE_SOLVE_ARGUMENTS_SIZE_1_0) {
    return imle_fail(error, IMLE_E_ABI_MISMATCH, "imle_solve_arguments is smaller than in version 1.0");
  }
  if (arguments->flags != 0) {
    return imle_fail(error, IMLE_E_UNSUPPORTED, "unknown bits in flags");
  }
  for (uint64_t row = 0; row < arguments->rows; row++) {
    const double *theta = arguments->theta + row * dim;
    double *z = arguments->z + row * dim;
    uint64_t best = choose(theta, dim);
    if (imle_stop_raised(arguments)) {
      imle_fail_row(arguments, row, IMLE_E_STOPPED, "the stop word was raised");
      continue;
    }
    if (best != dim && theta[best] > too_hot) {
      imle_fail_row(arguments, row, IMLE_E_INVALID_THETA, "theta is too hot");
      continue;
    }
    for (uint64_t i = 0; i < dim; i++) {
      z[i] = i == best ? 1.0 : 0.0;
    }
    arguments->objective[row] = best == dim ? 0.0 : theta[best];
    if (arguments->bound != NULL) {
      arguments->bound[row] = arguments->objective[row];
    }
    if (arguments->radius != NULL) {
      arguments->radius[row] = radius_of(theta, dim, best);
    }
    arguments->status[row] = IMLE_OK;
    workspace->solved++;
  }
  return IMLE_OK;
}

static int32_t marginals(const imle_instance *instance, imle_workspace *workspace,
                         const imle_marginals_arguments *arguments, imle_sink *error) {
  uint64_t dim = instance->dim;
  (void)workspace;
  if (arguments->struct_size < IMLE_MARGINALS_ARGUMENTS_SIZE_1_0) {
    return imle_fail(error, IMLE_E_ABI_MISMATCH, "imle_marginals_arguments is smaller than in version 1.0");
  }
  if (arguments->flags != 0) {
    return imle_fail(error, IMLE_E_UNSUPPORTED, "unknown bits in flags");
  }
  for (uint64_t row = 0; row < arguments->rows; row++) {
    const double *theta = arguments->theta + row * dim;
    double *mu = arguments->mu + row * dim;
    uint64_t best = choose(theta, dim);
    double most = best == dim ? 0.0 : theta[best];
    double sum = exp(-most);
    for (uint64_t i = 0; i < dim; i++) {
      mu[i] = exp(theta[i] - most);
      sum += mu[i];
    }
    for (uint64_t i = 0; i < dim; i++) {
      mu[i] /= sum;
    }
    arguments->log_partition[row] = most + log(sum);
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

static const imle_marginals marginals_table = {
    .struct_size = sizeof(imle_marginals),
    .marginals = marginals,
};

static const void *extension(const char *id) {
  return strcmp(id, IMLE_EXTENSION_MARGINALS) == 0 ? &marginals_table : NULL;
}

static const imle_solver solver = {
    .struct_size = sizeof(imle_solver),
    .name = "frozen",
    .summary = "one of a few coordinates, or none",
    .serial_group = "frozen-1.0",
    .config_schema = config_schema,
    .create = create,
    .destroy = destroy,
    .info = info,
    .workspace_create = workspace_create,
    .workspace_destroy = workspace_destroy,
    .solve = solve,
    .extension = extension,
};

static const imle_solver *const solvers[] = {&solver};

static const imle_plugin plugin = {
    .struct_size = sizeof(imle_plugin),
    .abi_minor = IMLE_ABI_MINOR,
    .name = "frozen",
    .version = "1.0.0",
    .license = "MIT OR Apache-2.0",
    .solver_count = 1,
    .solvers = solvers,
};

const imle_plugin *imle_plugin_v1(uint32_t host_minor, imle_sink *error) {
  (void)host_minor;
  (void)error;
  return &plugin;
}
