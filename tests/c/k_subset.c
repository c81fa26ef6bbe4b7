/* A solver plugin in plain C: the k largest of n coordinates.
 *
 * Copy this file to write a plugin of your own. It shows the whole of an honest one: a configuration
 * that is read strictly, sentences for the user, ties broken by a rule, an optional output, and the stop
 * word. Build it with
 *
 *     cc -std=c11 -O2 -fPIC -shared -fvisibility=hidden -I imle-api/include k_subset.c -o libk_subset.so -lm
 *
 * Configuration: {"dim": n, "k": k}, with 1 <= k <= n.
 * States:        the 0/1 vectors of n coordinates with exactly k ones.
 * Ties:          the lower index wins; -0.0 equals 0.0.
 *
 * It agrees to the last bit with the plugin in plugins/k-subset, which is written in Rust.
 */
#include "imle_plugin.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One feasible set. Never written after create(), so threads share it without a lock. */
struct imle_instance {
  size_t dim;
  size_t k;
};

/* Scratch for one thread: the k best coordinates so far, as a heap whose root is the worst of them. */
struct imle_workspace {
  size_t *heap;
};

/* ---- reading the configuration ----------------------------------------------------------------------
 *
 * All of JSON that {"dim": n, "k": k} needs: one object of non-negative integers. The text ends at `end`
 * and not at a NUL. A larger plugin would use a JSON library here; the rule stays the same: refuse what
 * you do not understand, and name it. */

typedef struct {
  const char *at;
  const char *end;
  imle_sink *error;
} reader;

/* A piece of the text, not terminated. */
typedef struct {
  const char *start;
  size_t length;
} piece;

/* Fails with "BEFORE`WHAT`AFTER". The sink appends, so nobody has to guess the size of a buffer. */
static int32_t refuse(imle_sink *error, const char *before, piece what, const char *after) {
  imle_write(error, before);
  imle_write(error, "`");
  if (error != NULL) {
    error->write(error, what.start, what.length);
  }
  imle_write(error, "`");
  return imle_fail(error, IMLE_E_INVALID_CONFIG, after);
}

static void skip_space(reader *text) {
  while (text->at < text->end && strchr(" \t\r\n", *text->at) != NULL && *text->at != '\0') {
    text->at++;
  }
}

static bool next_is(reader *text, char wanted) {
  skip_space(text);
  return text->at < text->end && *text->at == wanted;
}

static bool take(reader *text, char wanted) {
  if (!next_is(text, wanted)) {
    return false;
  }
  text->at++;
  return true;
}

static bool is_digit(char c) {
  return '0' <= c && c <= '9';
}

/* A string. Escapes stay as they are: no key of ours needs one, so a key with one is unknown. */
static int32_t read_key(reader *text, piece *key) {
  if (!take(text, '"')) {
    return imle_fail(text->error, IMLE_E_INVALID_CONFIG, "expected a key in double quotes");
  }
  key->start = text->at;
  while (text->at < text->end && *text->at != '"') {
    text->at += (*text->at == '\\' && text->end - text->at > 1) ? 2 : 1;
  }
  if (text->at == text->end) {
    return imle_fail(text->error, IMLE_E_INVALID_CONFIG, "a key has no closing double quote");
  }
  key->length = (size_t)(text->at - key->start);
  text->at++;
  return IMLE_OK;
}

/* An integer from 0 to SIZE_MAX: no sign, no leading zero, no fraction, no exponent. */
static int32_t read_size(reader *text, piece key, size_t *value) {
  skip_space(text);
  piece number = {text->at, 0};
  while (text->at < text->end && strchr(",} \t\r\n", *text->at) == NULL) {
    text->at++;
  }
  number.length = (size_t)(text->at - number.start);
  bool good = number.length > 0 && (number.length == 1 || number.start[0] != '0');
  *value = 0;
  for (size_t i = 0; good && i < number.length; i++) {
    size_t digit = (size_t)(number.start[i] - '0');
    good = is_digit(number.start[i]) && *value <= (SIZE_MAX - digit) / 10;
    *value = *value * 10 + digit;
  }
  if (!good) {
    refuse(text->error, "at ", key, ": ");
    return refuse(text->error, "", number, " is not a non-negative integer that fits 64 bits");
  }
  return IMLE_OK;
}

static bool is(piece text, const char *word) {
  return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

/* One `"key": value`. `seen` tells which keys have come: a second one would contradict the first. */
static int32_t read_pair(reader *text, imle_instance *config, bool seen[2]) {
  piece key;
  int32_t code = read_key(text, &key);
  if (code != IMLE_OK) {
    return code;
  }
  bool is_dim = is(key, "dim");
  if (!is_dim && !is(key, "k")) {
    return refuse(text->error, "unknown key ", key, "; the keys are `dim` and `k`");
  }
  if (seen[is_dim]) {
    return refuse(text->error, "the key ", key, " comes twice");
  }
  seen[is_dim] = true;
  if (!take(text, ':')) {
    return refuse(text->error, "expected a colon after the key ", key, "");
  }
  return read_size(text, key, is_dim ? &config->dim : &config->k);
}

static int32_t read_config(reader *text, imle_instance *config) {
  bool seen[2] = {false, false};
  if (!take(text, '{')) {
    return imle_fail(text->error, IMLE_E_INVALID_CONFIG, "expected an object: {\"dim\": n, \"k\": k}");
  }
  if (!next_is(text, '}')) {
    do {
      int32_t code = read_pair(text, config, seen);
      if (code != IMLE_OK) {
        return code;
      }
    } while (take(text, ','));
  }
  if (!take(text, '}')) {
    return imle_fail(text->error, IMLE_E_INVALID_CONFIG, "expected a comma or the end of the object");
  }
  skip_space(text);
  if (text->at != text->end) {
    return imle_fail(text->error, IMLE_E_INVALID_CONFIG, "there is text behind the object");
  }
  if (!seen[true] || !seen[false]) {
    const char *missing = seen[true] ? "missing key `k`" : "missing key `dim`";
    return imle_fail(text->error, IMLE_E_INVALID_CONFIG, missing);
  }
  return IMLE_OK;
}

static int32_t config_schema(imle_sink *schema, imle_sink *error) {
  (void)error;
  imle_write(schema,
             "{\"type\":\"object\",\"properties\":{"
             "\"dim\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"The number of coordinates.\"},"
             "\"k\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"The number of ones.\"}},"
             "\"required\":[\"dim\",\"k\"],\"additionalProperties\":false}");
  return IMLE_OK;
}

/* ---- instances and workspaces -------------------------------------------------------------------- */

static int32_t create(const char *config, uint64_t length, imle_instance **instance,
                      imle_sink *error) {
  reader text = {config, config + length, error};
  imle_instance made = {0, 0};
  int32_t code = read_config(&text, &made);
  if (code != IMLE_OK) {
    return code;
  }
  if (made.k < 1 || made.k > made.dim) {
    char why[96];
    snprintf(why, sizeof why, "k = %zu is not between 1 and dim = %zu", made.k, made.dim);
    return imle_fail(error, IMLE_E_INVALID_CONFIG, why);
  }
  *instance = malloc(sizeof **instance);
  if (*instance == NULL) {
    return imle_fail(error, IMLE_E_BACKEND_FAILED, "out of memory");
  }
  **instance = made;
  return IMLE_OK;
}

static void destroy(imle_instance *instance) {
  free(instance);
}

static int32_t info(const imle_instance *instance, imle_info *info, imle_sink *error) {
  if (info->struct_size < IMLE_INFO_SIZE_1_0) {
    return imle_fail(error, IMLE_E_ABI_MISMATCH, "imle_info is smaller than in ABI version 1.0");
  }
  info->flags = IMLE_INFO_INTEGRAL;
  info->dim = instance->dim;
  info->ones = instance->k;
  info->z_lower = 0.0;
  info->z_upper = 1.0;
  info->theta_domain = IMLE_THETA_ANY;
  return IMLE_OK;
}

static int32_t workspace_create(const imle_instance *instance, imle_workspace **workspace,
                                imle_sink *error) {
  imle_workspace *made = malloc(sizeof *made);
  size_t *heap = calloc(instance->k, sizeof *heap); /* unlike malloc, refuses a product that overflows */
  if (made == NULL || heap == NULL) {
    free(made);
    free(heap);
    return imle_fail(error, IMLE_E_BACKEND_FAILED, "out of memory");
  }
  made->heap = heap;
  *workspace = made;
  return IMLE_OK;
}

static void workspace_destroy(imle_workspace *workspace) {
  if (workspace != NULL) {
    free(workspace->heap);
    free(workspace);
  }
}

/* ---- solving ------------------------------------------------------------------------------------- */

/* Larger first, then lower index: a total order, so the k best are one set and not a matter of luck. */
static bool better(const double *theta, size_t a, size_t b) {
  return theta[a] > theta[b] || (theta[a] == theta[b] && a < b);
}

/* Moves the entry at `at` down until no child is worse than it: the root is the worst of all again. */
static void sift_down(size_t *heap, size_t count, size_t at, const double *theta) {
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= count) {
      return;
    }
    if (child + 1 < count && better(theta, heap[child], heap[child + 1])) {
      child++;
    }
    if (!better(theta, heap[at], heap[child])) {
      return;
    }
    size_t entry = heap[at];
    heap[at] = heap[child];
    heap[child] = entry;
    at = child;
  }
}

/* Writes the state of one row and returns its radius of optimality. */
static double solve_row(const imle_instance *instance, size_t *heap, const double *theta, double *z) {
  size_t k = instance->k;
  for (size_t i = 0; i < k; i++) {
    heap[i] = i;
  }
  for (size_t i = k / 2; i-- > 0;) {
    sift_down(heap, k, i, theta);
  }
  double next = -INFINITY; /* the largest coordinate that is not in */
  for (size_t i = k; i < instance->dim; i++) {
    size_t out = i;
    if (better(theta, i, heap[0])) {
      out = heap[0];
      heap[0] = i;
      sift_down(heap, k, 0, theta);
    }
    next = theta[out] > next ? theta[out] : next;
  }
  memset(z, 0, instance->dim * sizeof *z); /* all bits zero is 0.0 */
  for (size_t i = 0; i < k; i++) {
    z[heap[i]] = 1.0;
  }
  /* Moving every coordinate by less than half the gap does not change who is in. Rounded down. */
  double radius = theta[heap[0]] / 2.0 - next / 2.0; /* the gap itself may overflow */
  return radius > 0.0 ? nextafter(radius, 0.0) : 0.0;
}

static double dot(const double *a, const double *b, size_t count) {
  double sum = -0.0; /* the neutral element: 0.0 would turn a sum of negative zeros into 0.0 */
  for (size_t i = 0; i < count; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* A row takes microseconds, so looking at the stop word between rows is soon enough, and a time limit is
 * for solvers that can miss one. */
static int32_t solve(const imle_instance *instance, imle_workspace *workspace,
                     const imle_solve_arguments *arguments, imle_sink *error) {
  if (arguments->struct_size < IMLE_SOLVE_ARGUMENTS_SIZE_1_0) {
    return imle_fail(error, IMLE_E_ABI_MISMATCH, "imle_solve_arguments is smaller than in version 1.0");
  }
  if (arguments->flags != 0) {
    return imle_fail(error, IMLE_E_UNSUPPORTED, "unknown bits in flags");
  }
  for (uint64_t row = 0; row < arguments->rows; row++) {
    if (imle_stop_raised(arguments)) {
      return imle_fail(error, IMLE_E_STOPPED, "the stop word was raised");
    }
    const double *theta = arguments->theta + row * instance->dim;
    double *z = arguments->z + row * instance->dim;
    double radius = solve_row(instance, workspace->heap, theta, z);
    arguments->objective[row] = dot(theta, z, instance->dim);
    if (arguments->radius != NULL) {
      arguments->radius[row] = radius;
    }
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

/* ---- the tables ---------------------------------------------------------------------------------- */

static const imle_solver c_k_subset = {
    .struct_size = sizeof(imle_solver),
    .name = "c-k-subset",
    .summary = "the k largest of n coordinates, in C",
    .config_schema = config_schema,
    .create = create,
    .destroy = destroy,
    .info = info,
    .workspace_create = workspace_create,
    .workspace_destroy = workspace_destroy,
    .solve = solve,
};

static const imle_solver *const solvers[] = {&c_k_subset};

static const imle_plugin plugin = {
    .struct_size = sizeof(imle_plugin),
    .abi_minor = IMLE_ABI_MINOR,
    .name = "c-k-subset",
    .version = "1.0.0",
    .license = "MIT OR Apache-2.0",
    .solver_count = sizeof solvers / sizeof solvers[0],
    .solvers = solvers,
};

const imle_plugin *imle_plugin_v1(uint32_t host_minor, imle_sink *error) {
  (void)host_minor;
  (void)error;
  return &plugin;
}
