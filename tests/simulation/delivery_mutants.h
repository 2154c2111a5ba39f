// SPDX-License-Identifier: Apache-2.0
//
// Mutants of delivery: bus and sidecar with one rule broken, each a fault that somebody could make.
// The simulation has to notice every one of them. Product code has no switches for them: they sit
// at the seams, around a Node, a store, or what recovery hands over.

#pragma once

#include "bus/sidecar/archive_log.h"
#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/event_store.h"
#include "common/runtime/node.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace conga::simulation {

/// What is put around what; empty functions change nothing.
struct Mutation {
  template <class Thing>
  using Around = std::function<std::unique_ptr<Thing>(std::unique_ptr<Thing>)>;

  std::string name{};
  Around<Node> forwarder{};
  Around<Node> sidecar{};
  Around<bus::EventStore> store{};
  Around<bus::DeadLetters> letters{};
  Around<bus::ArchiveLog> archive{};
  std::function<bool(const bus::PendingDelivery&)> recovers{};  ///< False: recovery forgets it.
  bool forgets_ids = false;                                     ///< At recovery.
};

const std::vector<Mutation>& delivery_mutants();

}  // namespace conga::simulation
