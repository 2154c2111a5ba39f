// SPDX-License-Identifier: Apache-2.0
//
// ArrayChoice: can one choice of array elements satisfy several fields at once? docs/patterns.md,
// "Arrays of objects stay together", gives the rule; this decides it in a time that grows with the
// number of values, not with the product of the array sizes.
//
// It keeps every distinct way to fix elements that later fields can notice. In an event without
// repeated keys these are at most as many as there are elements. Repeated keys can make them grow
// without bound (the general problem is NP-hard), so the work is limited: beyond kMaxSteps the
// answer is no.

#pragma once

#include "bus/rules/condition.h"
#include "bus/rules/event_fields.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace conga::bus {

/// Kept between events: after warm-up it does not allocate.
class ArrayChoice {
public:
  static constexpr std::size_t kMaxSteps = std::size_t{1} << 22U;

  /// Forgets the fields of the last question.
  void begin(const EventFields& event);

  /// The next field in the order of the language, with at least one value in an array.
  void add(const EventFields::Field& field, const std::vector<Condition>& any_of);

  bool possible();

private:
  struct Step {
    const EventFields::Field* field = nullptr;
    std::size_t satisfied = 0;  ///< Where its flags begin, one per value.
    std::size_t hits = 0;       ///< How many of them are set.
    bool absence = false;
  };

  /// Fixed elements, ascending: a part of a pool.
  struct Way {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  bool take(std::size_t step);
  bool extend(const Way& way, std::size_t step);
  std::size_t next_agreeing(const Way& way,
                            const EventFields::Field& field,
                            std::size_t from) const;
  void push(const Way& way, std::uint32_t element, std::size_t step);
  bool matters(std::uint32_t element, std::size_t step) const;
  void remove_repeats();

  const EventFields* event_ = nullptr;
  std::vector<Step> steps_;
  std::vector<char> satisfied_;
  std::vector<Way> ways_;
  std::vector<std::uint32_t> pool_;
  std::vector<Way> next_ways_;
  std::vector<std::uint32_t> next_pool_;
  std::size_t count_ = 0;  ///< Steps of work.
};

}  // namespace conga::bus
