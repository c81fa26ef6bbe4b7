/* A solver of one-hot vectors of three coordinates with one defect, named by the MODE_ that this file is compiled
 * with: those that tests/bad-plugin cannot have, because its configuration and its rows pass through imle-api. None
 * of this is an example to follow. */
#include "imle_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIM 3

struct imle_instance {
  char unused;
};

struct imle_workspace {
  char unused;
};

static int32_t create(const char *config, uint64_t length, imle_instance **instance, imle_sink *error) {
#ifndef MODE_takes_any_key
  if (length != 2 || memcmp(config, "{}", 2) != 0) {
    return imle_fail(error, IMLE_E_INVALID_CONFIG, "there is nothing to configure");
  }
#endif
#ifdef MODE_refuses_its_example
  return imle_fail(error, IMLE_E_INVALID_CONFIG, "not today");
#endif
#ifdef MODE_chats
  printf("\"Holds\"\n");
  fflush(stdout);
#endif
  (void)config;
  (void)length;
  (void)error;
  *instance = malloc(sizeof **instance);
  return IMLE_OK;
}

static void destroy(imle_instance *instance) {
  free(instance);
}

static int32_t config_schema(imle_sink *schema, imle_sink *error) {
  (void)error;
#ifdef MODE_no_examples
  imle_write(schema, "{\"type\":\"object\",\"additionalProperties\":false}");
#else
  imle_write(schema, "{\"type\":\"object\",\"additionalProperties\":false,\"examples\":[{}]}");
#endif
  return IMLE_OK;
}

static int32_t info(const imle_instance *instance, imle_info *info, imle_sink *error) {
  (void)instance;
  (void)error;
  info->flags = IMLE_INFO_INTEGRAL;
  info->dim = DIM;
  info->ones = 1;
  info->z_lower = 0.0;
  info->z_upper = 1.0;
  info->theta_domain = IMLE_THETA_ANY;
  return IMLE_OK;
}

static int32_t workspace_create(const imle_instance *instance, imle_workspace **workspace, imle_sink *error) {
  (void)instance;
  (void)error;
  *workspace = calloc(1, sizeof **workspace);
  return IMLE_OK;
}

static void workspace_destroy(imle_workspace *workspace) {
  free(workspace);
}

static void solve_row(const double *theta, double *z, double *objective) {
  size_t best = 0;
  for (size_t i = 1; i < DIM; i++) {
    best = theta[i] > theta[best] ? i : best;
  }
#ifdef MODE_chats
  best = theta[0] > 0.9 ? (best + 1) % DIM : best;
#endif
  memset(z, 0, DIM * sizeof *z);
  z[best] = 1.0;
  *objective = theta[best];
#ifdef MODE_wrong_objective
  *objective += 1.0;
#endif
}

static int32_t solve(const imle_instance *instance, imle_workspace *workspace,
                     const imle_solve_arguments *arguments, imle_sink *error) {
  (void)instance;
  (void)workspace;
  (void)error;
  for (uint64_t row = 0; row < arguments->rows; row++) {
#ifdef MODE_forgets_a_row
    if (row == 5) {
      continue;
    }
#endif
    solve_row(arguments->theta + row * DIM, arguments->z + row * DIM, &arguments->objective[row]);
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

static const imle_solver solver = {
    .struct_size = sizeof(imle_solver),
    .name = "defects",
    .summary = "one-hot vectors, and a defect",
    .config_schema = config_schema,
    .create = create,
    .destroy = destroy,
    .info = info,
    .workspace_create = workspace_create,
    .workspace_destroy = workspace_destroy,
    .solve = solve,
};

static const imle_solver *const solvers[] = {&solver};

static const imle_plugin plugin = {
    .struct_size = sizeof(imle_plugin),
    .abi_minor = IMLE_ABI_MINOR,
    .name = "defects",
    .version = "1.0.0",
    .solver_count = 1,
    .solvers = solvers,
};

const imle_plugin *imle_plugin_v1(uint32_t host_minor, imle_sink *error) {
  (void)host_minor;
  (void)error;
  return &plugin;
}
