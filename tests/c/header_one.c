/* The header in one of two translation units, twice: see tests/abi_layout.rs. Also compiled as C++. */
#include "imle_plugin.h"
#include "imle_plugin.h"

int main(void) {
  const imle_entry entry = imle_plugin_v1;
  return entry(IMLE_ABI_MINOR, NULL) == NULL ? 0 : 1;
}
