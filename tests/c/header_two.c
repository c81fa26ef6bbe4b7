/* The other translation unit: uses the macros and every helper. Also compiled as C++. */
#include "imle_plugin.h"
#include "imle_plugin.h"

static uint64_t bytes_said;

static void count(imle_sink *sink, const char *text, uint64_t length) {
  (void)sink;
  (void)text;
  bytes_said += length;
}

static void count_row(void *host, uint64_t row, const char *text, uint64_t length) {
  (void)text;
  *(uint64_t *)host += row * length;
}

/* Returns null if the helpers do what they say. */
const imle_plugin *imle_plugin_v1(uint32_t host_minor, imle_sink *error) {
  static const imle_plugin failure = {0, 0, 0, 0, NULL, NULL, NULL, 0, NULL};
  imle_sink sink = {sizeof(imle_sink), 0, count};
  imle_solve_arguments arguments = {0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0.0, NULL, NULL, NULL};
  int32_t status[2] = {IMLE_UNSET, IMLE_UNSET};
  uint32_t stop = 0;
  uint64_t row_bytes_said = 0;
  int good = host_minor == IMLE_ABI_MINOR && imle_fail(error, IMLE_E_IO, "nobody listens") == IMLE_E_IO;
  good = good && imle_fail(&sink, IMLE_E_STOPPED, "seven77") == IMLE_E_STOPPED && bytes_said == 7;

  arguments.status = status;
  good = good && !imle_stop_raised(&arguments);
  imle_fail_row(&arguments, 0, IMLE_E_INFEASIBLE, "nobody listens");
  arguments.stop = &stop;
  arguments.row_message = count_row;
  arguments.host = &row_bytes_said;
  imle_fail_row(&arguments, 1, IMLE_E_UNBOUNDED, "five5");
  good = good && !imle_stop_raised(&arguments) && row_bytes_said == 5;
  good = good && status[0] == IMLE_E_INFEASIBLE && status[1] == IMLE_E_UNBOUNDED;
  stop = 1;
  good = good && imle_stop_raised(&arguments);

  arguments.struct_size = IMLE_SOLVE_ARGUMENTS_SIZE_1_0 - 1;
  good = good && !IMLE_HAS(&arguments, imle_solve_arguments, host);
  good = good && IMLE_HAS(&arguments, imle_solve_arguments, row_message);
  return good ? NULL : &failure;
}
