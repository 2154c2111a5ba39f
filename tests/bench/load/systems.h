// SPDX-License-Identifier: Apache-2.0
//
// Systems: the message systems that the load tool can drive. Each has a publisher's and a
// consumer's half; either runs in a process of its own until the run is stopped.

#pragma once

#include "common/core/result.h"
#include "tests/bench/load/plan.h"

#include <string>
#include <vector>

namespace conga::bench {

struct System {
  const char* name;
  Result<> (*publish)(Side& side);
  Result<> (*consume)(Side& side);
  /// Makes queues and streams, before anyone starts; may be null.
  Result<> (*prepare)(const Plan& plan);
};

/// Those that this build has: the peers only where their client libraries are installed.
const std::vector<System>& systems();

System conga_system();
System zmq_proxy_system();
System nats_system();
System jetstream_system();
System redis_system();
System rabbitmq_system();

/// zmq_proxy between XSUB and XPUB, until the process is ended.
Result<> run_zmq_proxy(const std::string& publish, const std::string& subscribe);

}  // namespace conga::bench
