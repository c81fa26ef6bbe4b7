/* What k_subset.c makes of configurations that a host would not send, or not in one piece: a program that
 * returns the number of surprises. */
#include "k_subset.c"

typedef struct {
  imle_sink sink;
  char text[256];
  size_t length;
} message;

static void write_message(imle_sink *sink, const char *text, uint64_t length) {
  message *to = (message *)sink;
  size_t room = sizeof to->text - 1 - to->length;
  size_t bytes = length < room ? length : room;
  memcpy(to->text + to->length, text, bytes);
  to->length += bytes;
}

static int surprises;

/* Creates an instance of `config`, with `behind` in memory right after it. A null `words` expects success;
 * otherwise a failure whose sentence contains them. */
static void expect(const char *config, const char *behind, const char *words) {
  char memory[256];
  snprintf(memory, sizeof memory, "%s%s", config, behind);
  message error = {{sizeof(imle_sink), 0, write_message}, "", 0};
  imle_instance *instance = NULL;
  int32_t code = create(memory, strlen(config), &instance, &error.sink);
  bool good = words == NULL ? code == IMLE_OK && instance->dim == 3 && instance->k == 2
                            : code == IMLE_E_INVALID_CONFIG && strstr(error.text, words) != NULL;
  if (!good) {
    printf("%s: code %d, \"%s\"\n", config, (int)code, error.text);
    surprises++;
  }
  if (code == IMLE_OK) {
    destroy(instance);
  }
}

int main(void) {
  expect("{\"dim\":3,\"k\":2}", "", NULL);
  expect(" { \"k\" :\n2\t,\r\"dim\": 3 } ", "", NULL);
  /* The text ends where its length says. */
  expect("{\"dim\":3,\"k\":2}", "garbage", NULL);
  expect("{\"dim\":3,\"k\":2", "}", "expected a comma or the end of the object");
  expect("{\"dim\":3,\"k", "\":2}", "no closing double quote");
  expect("{\"dim\":3,\"k\\", "\":2}", "no closing double quote");
  expect("{\"dim\":3,\"k\"", ":2}", "expected a colon after the key `k`");
  expect("{\"dim\":3,\"k\":", "2}", "at `k`: `` is not a non-negative integer");
  expect("", "{\"dim\":3,\"k\":2}", "expected an object");
  /* Other than JSON, or other JSON. */
  expect("{\"dim\":3,\"k\":2}}", "", "text behind the object");
  expect("{\"dim\":3,\"k\":2,}", "", "expected a key in double quotes");
  expect("{dim:3,k:2}", "", "expected a key in double quotes");
  expect("[3, 2]", "", "expected an object");
  expect("{\"dim\":3 \"k\":2}", "", "expected a comma or the end of the object");
  expect("{\"dim\":3,\"k\":2,\"k\":2}", "", "the key `k` comes twice");
  expect("{\"dim\":3,\"k\":2,\"\\u006b\":2}", "", "unknown key `\\u006b`");
  expect("{\"dim\":3,\"k\":2,\"\\\"\":2}", "", "unknown key `\\\"`");
  /* Numbers. */
  expect("{\"dim\":3,\"k\":02}", "", "at `k`: `02` is not");
  expect("{\"dim\":3,\"k\":+2}", "", "at `k`: `+2` is not");
  expect("{\"dim\":3,\"k\":2e0}", "", "at `k`: `2e0` is not");
  expect("{\"dim\":18446744073709551615,\"k\":0}", "", "k = 0 is not between 1 and dim = 18446744073709551615");
  expect("{\"dim\":18446744073709551616,\"k\":1}", "", "at `dim`: `18446744073709551616` is not");
  expect("{\"dim\":99999999999999999999999,\"k\":1}", "", "at `dim`: `99999999999999999999999` is not");
  return surprises;
}
