/* A host in C that is newer than the plugin it loads, older, or wrong: what the plugin may touch and what it
 * must refuse.
 *
 *     host LIBRARY CONFIG_JSON
 *
 * Prints nothing and returns 0 if the first solver of the library keeps the rules of GROWTH. */
#include "imle_plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

/* Structs as a later version may have them. What follows the fields of today is filled with garbage. */
typedef struct {
  imle_info today;
  unsigned char later[64];
} later_info;

typedef struct {
  imle_solve_arguments today;
  unsigned char later[64];
} later_arguments;

typedef struct {
  imle_sink today;
  char text[256];
  uint64_t length;
} sink;

static void write_text(imle_sink *to, const char *text, uint64_t length) {
  sink *it = (sink *)to;
  CHECK(it->length + length < sizeof it->text);
  memcpy(it->text + it->length, text, length);
  it->length += length;
}

static sink empty_sink(void) {
  sink it;
  memset(&it, 0xA5, sizeof it);
  it.today.struct_size = sizeof it; /* a later sink is larger */
  it.today.reserved = 0;
  it.today.write = write_text;
  it.length = 0;
  return it;
}

static int is_garbage(const unsigned char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != 0xA5) {
      return 0;
    }
  }
  return 1;
}

/* A newer host: more fields than the plugin knows. */
static uint64_t ask_for_facts(const imle_solver *solver, const imle_instance *instance) {
  later_info info;
  sink error = empty_sink();
  memset(&info, 0, sizeof info.today);
  memset(info.later, 0xA5, sizeof info.later);
  info.today.struct_size = sizeof info;
  CHECK(solver->info(instance, &info.today, &error.today) == IMLE_OK);
  CHECK(info.today.struct_size == sizeof info);
  CHECK(is_garbage(info.later, sizeof info.later));
  CHECK(info.today.dim >= 1);

  /* A host from before version 1.0 is none: nothing is written. */
  imle_info small;
  memset(&small, 0xA5, sizeof small);
  small.struct_size = IMLE_INFO_SIZE_1_0 - 8;
  CHECK(solver->info(instance, &small, &error.today) == IMLE_E_ABI_MISMATCH);
  CHECK(error.length > 0);
  CHECK(is_garbage((unsigned char *)&small + sizeof(uint32_t), sizeof small - sizeof(uint32_t)));
  return info.today.dim;
}

enum { ROWS = 3 };

static void solve(const imle_solver *solver, const imle_instance *instance, uint64_t dim) {
  size_t values = ROWS * (size_t)dim;
  double *theta = malloc(values * sizeof *theta);
  double *z = malloc(values * sizeof *z);
  double objective[ROWS], bound[ROWS], radius[ROWS];
  int32_t status[ROWS];
  imle_workspace *workspace = NULL;
  sink error = empty_sink();
  later_arguments arguments;
  CHECK(theta != NULL && z != NULL);
  for (size_t i = 0; i < values; i++) {
    theta[i] = (double)(i * 7 % 11) - 5.0;
  }
  CHECK(solver->workspace_create(instance, &workspace, &error.today) == IMLE_OK);

  /* What a 1.0 plugin does not know, it does not read. */
  memset(&arguments, 0, sizeof arguments.today);
  memset(arguments.later, 0xA5, sizeof arguments.later);
  arguments.today.struct_size = sizeof arguments;
  arguments.today.rows = ROWS;
  arguments.today.theta = theta;
  arguments.today.z = z;
  arguments.today.status = status;
  arguments.today.objective = objective;
  for (int with_optional = 0; with_optional < 2; with_optional++) {
    for (int row = 0; row < ROWS; row++) {
      status[row] = IMLE_UNSET;
      bound[row] = 1e300;
      radius[row] = 0.0;
    }
    arguments.today.bound = with_optional ? bound : NULL;
    arguments.today.radius = with_optional ? radius : NULL;
    CHECK(solver->solve(instance, workspace, &arguments.today, &error.today) == IMLE_OK);
    CHECK(is_garbage(arguments.later, sizeof arguments.later));
    for (int row = 0; row < ROWS; row++) {
      double value = 0.0;
      CHECK(status[row] == IMLE_OK);
      for (uint64_t i = 0; i < dim; i++) {
        value += theta[(uint64_t)row * dim + i] * z[(uint64_t)row * dim + i];
      }
      CHECK(value == objective[row]); /* small integers: no rounding */
      CHECK(bound[row] >= value && radius[row] >= 0.0);
    }
  }

  /* No row at all: the arrays may be null. */
  later_arguments none = arguments;
  none.today.rows = 0;
  none.today.theta = NULL;
  none.today.z = NULL;
  none.today.status = NULL;
  none.today.objective = NULL;
  none.today.bound = NULL;
  none.today.radius = NULL;
  CHECK(solver->solve(instance, workspace, &none.today, &error.today) == IMLE_OK);

  /* Smaller than 1.0, and asking for what this version does not have: refused whole, with a sentence. */
  status[0] = IMLE_UNSET;
  arguments.today.struct_size = IMLE_SOLVE_ARGUMENTS_SIZE_1_0 - 8;
  error = empty_sink();
  CHECK(solver->solve(instance, workspace, &arguments.today, &error.today) == IMLE_E_ABI_MISMATCH);
  CHECK(error.length > 0 && status[0] == IMLE_UNSET);
  arguments.today.struct_size = sizeof arguments;
  arguments.today.flags = 1u << 31;
  error = empty_sink();
  CHECK(solver->solve(instance, workspace, &arguments.today, &error.today) == IMLE_E_UNSUPPORTED);
  CHECK(error.length > 0 && status[0] == IMLE_UNSET);

  solver->workspace_destroy(workspace);
  solver->workspace_destroy(NULL);
  free(theta);
  free(z);
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  imle_entry entry;
  *(void **)&entry = dlsym(library, IMLE_ENTRY_SYMBOL);
  CHECK(entry != NULL);
  sink error = empty_sink();
  const imle_plugin *plugin = entry(IMLE_ABI_MINOR + 7, &error.today); /* a newer host says so */
  CHECK(plugin != NULL && plugin == entry(0, NULL));
  CHECK(plugin->struct_size >= IMLE_PLUGIN_SIZE_1_0 && plugin->solver_count >= 1);
  const imle_solver *solver = plugin->solvers[0];
  CHECK(solver->struct_size >= IMLE_SOLVER_SIZE_1_0);

  const char *config = arguments[2];
  imle_instance *instance = NULL;
  int32_t code = solver->create(config, strlen(config), &instance, &error.today);
  if (code != IMLE_OK) {
    fprintf(stderr, "create: %d, %.*s\n", (int)code, (int)error.length, error.text);
    return 1;
  }
  solve(solver, instance, ask_for_facts(solver, instance));
  solver->destroy(instance);
  solver->destroy(NULL);
  return 0;
}
