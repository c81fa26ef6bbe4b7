// The same ABI from C++17: the largest coordinate of `dim`, the lower index on ties.
//
// Configuration: the number of coordinates, a bare JSON integer such as 5. What differs from the plugin in C
// is that nothing thrown may leave a function: each is `noexcept`, and create() catches inside. It has the
// extension for exact marginals: the softmax.
#include "imle_plugin.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <system_error>

struct imle_instance {
  std::ptrdiff_t dim;
};

namespace {

std::ptrdiff_t read_dim(const char *config, uint64_t length) {
  std::ptrdiff_t dim = 0;
  const char *end = config + length;
  auto [stopped, error] = std::from_chars(config, end, dim);
  if (error != std::errc() || stopped != end || dim < 1) {
    throw std::invalid_argument("expected an integer of at least 1");
  }
  return dim;
}

int32_t create(const char *config, uint64_t length, imle_instance **instance,
               imle_sink *error) noexcept try {
  *instance = std::make_unique<imle_instance>(imle_instance{read_dim(config, length)}).release();
  return IMLE_OK;
} catch (const std::invalid_argument &wrong) {
  return imle_fail(error, IMLE_E_INVALID_CONFIG, wrong.what());
} catch (const std::exception &failure) {
  return imle_fail(error, IMLE_E_BACKEND_FAILED, failure.what());
}

void destroy(imle_instance *instance) noexcept {
  delete instance;
}

int32_t info(const imle_instance *instance, imle_info *info, imle_sink *) noexcept {
  info->flags = IMLE_INFO_INTEGRAL;
  info->dim = static_cast<uint64_t>(instance->dim);
  info->ones = 1;
  info->z_lower = 0.0;
  info->z_upper = 1.0;
  return IMLE_OK;
}

// There is no scratch memory, but a workspace is not null.
int32_t workspace_create(const imle_instance *, imle_workspace **workspace, imle_sink *) noexcept {
  static char nothing;
  *workspace = reinterpret_cast<imle_workspace *>(&nothing);
  return IMLE_OK;
}

void workspace_destroy(imle_workspace *) noexcept {}

int32_t solve(const imle_instance *instance, imle_workspace *, const imle_solve_arguments *arguments,
              imle_sink *error) noexcept {
  if (arguments->flags != 0) {
    return imle_fail(error, IMLE_E_UNSUPPORTED, "unknown bits in flags");
  }
  for (uint64_t row = 0; row < arguments->rows; row++) {
    const double *theta = arguments->theta + static_cast<std::ptrdiff_t>(row) * instance->dim;
    double *z = arguments->z + static_cast<std::ptrdiff_t>(row) * instance->dim;
    const double *best = std::max_element(theta, theta + instance->dim); // the first of equal ones
    std::fill(z, z + instance->dim, 0.0);
    z[best - theta] = 1.0;
    arguments->objective[row] = *best;
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

int32_t marginals(const imle_instance *instance, imle_workspace *, const imle_marginals_arguments *arguments,
                  imle_sink *error) noexcept {
  if (arguments->flags != 0) {
    return imle_fail(error, IMLE_E_UNSUPPORTED, "unknown bits in flags");
  }
  for (uint64_t row = 0; row < arguments->rows; row++) {
    const double *theta = arguments->theta + static_cast<std::ptrdiff_t>(row) * instance->dim;
    double *mu = arguments->mu + static_cast<std::ptrdiff_t>(row) * instance->dim;
    const double best = *std::max_element(theta, theta + instance->dim);
    double sum = 0.0;
    for (std::ptrdiff_t i = 0; i < instance->dim; i++) {
      mu[i] = std::exp(theta[i] - best);
      sum += mu[i];
    }
    std::for_each(mu, mu + instance->dim, [sum](double &value) { value /= sum; });
    arguments->log_partition[row] = best + std::log(sum);
    arguments->status[row] = IMLE_OK;
  }
  return IMLE_OK;
}

const imle_marginals marginals_table = {sizeof(imle_marginals), 0, marginals};

const void *extension(const char *id) noexcept {
  return std::strcmp(id, IMLE_EXTENSION_MARGINALS) == 0 ? &marginals_table : nullptr;
}

const imle_solver one_hot = {
    sizeof(imle_solver), 0,
    "cpp-one-hot",       "the largest coordinate, in C++",
    nullptr, // serial_group
    nullptr, // config_schema
    create,              destroy,
    info,                workspace_create,
    workspace_destroy,   solve,
    extension,
};

const imle_solver *const solvers[] = {&one_hot};

const imle_plugin plugin = {
    sizeof(imle_plugin), IMLE_ABI_MINOR, 0, 0, "cpp-one-hot", "1.0.0", nullptr, 1, solvers,
};

} // namespace

const imle_plugin *imle_plugin_v1(uint32_t, imle_sink *) {
  return &plugin;
}
