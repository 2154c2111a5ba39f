// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/systems.h"

namespace conga::bench {

const std::vector<System>& systems() {
  static const std::vector<System> all {
    conga_system(), zmq_proxy_system(),
#if defined(CONGA_BENCH_NATS)
        nats_system(), jetstream_system(),
#endif
#if defined(CONGA_BENCH_REDIS)
        redis_system(),
#endif
#if defined(CONGA_BENCH_RABBITMQ)
        rabbitmq_system(),
#endif
  };
  return all;
}

}  // namespace conga::bench
