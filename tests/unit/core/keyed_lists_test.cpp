// SPDX-License-Identifier: Apache-2.0

#include "common/core/keyed_lists.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

using conga::KeyedLists;

namespace {

using Lists = KeyedLists<std::uint64_t, std::unique_ptr<int>>;

std::unique_ptr<int> made(int number) {
  return std::make_unique<int>(number);
}

std::vector<int> numbers_of(Lists& lists, std::size_t list) {
  std::vector<int> numbers;
  lists.for_each(list, [&](const std::unique_ptr<int>& each) { numbers.push_back(*each); });
  return numbers;
}

}  // namespace

TEST_CASE("values are found by key, and each list keeps the order in which they came") {
  Lists lists;
  REQUIRE(lists.add(11, 7, made(1)));
  REQUIRE(lists.add(12, 7, made(2)));
  REQUIRE(lists.add(13, 0, made(3)));
  REQUIRE(lists.add(14, 7, made(4)));
  CHECK_FALSE(lists.add(12, 0, made(5)));
  REQUIRE(lists.find(12));
  CHECK(*lists[*lists.find(12)] == 2);
  CHECK(lists.list_of(*lists.find(12)) == 7);
  CHECK_FALSE(lists.find(15));
  CHECK(*lists[*lists.front(7)] == 1);
  CHECK(lists.key_of(*lists.front(7)) == 11);
  lists.move(*lists.find(11), 7);
  CHECK(numbers_of(lists, 7) == std::vector<int>{2, 4, 1});
  CHECK(*lists.take(*lists.find(4 + 10)) == 4);
  CHECK_FALSE(lists.find(14));
  lists.move(*lists.find(12), 0);
  CHECK(numbers_of(lists, 7) == std::vector<int>{1});
  CHECK(numbers_of(lists, 0) == std::vector<int>{3, 2});
  CHECK(lists.size() == 3);
}

TEST_CASE("a list into which nothing was ever put is empty") {
  Lists lists;
  REQUIRE(lists.add(1, 2, made(1)));
  CHECK(lists.size(1) == 0);
  CHECK(lists.size(3) == 0);
  CHECK_FALSE(lists.front(1'000'000));
  CHECK(numbers_of(lists, 1'000'000).empty());
}

TEST_CASE("a value that is taken out leaves nothing behind") {
  KeyedLists<std::uint64_t, std::shared_ptr<int>> lists;
  const auto value = std::make_shared<int>(1);
  const auto entry = lists.add(1, 0, value);
  REQUIRE(entry);
  lists.take(*entry);
  CHECK(value.use_count() == 1);
}

TEST_CASE("they behave as lists do, whatever comes, moves and goes") {
  using Step = std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>;
  CHECK(rc::check("as lists", [](const std::vector<Step>& steps) {
    constexpr std::size_t kLists = 3;
    Lists lists;
    std::map<std::size_t, std::vector<int>> model;
    int next = 1;
    const auto key_of = [](int number) {
      return (std::uint64_t{5} << 40U) + static_cast<std::uint64_t>(number);
    };
    for (const auto& [what, choice, where] : steps) {
      std::vector<int>& from = model[choice % kLists];
      std::vector<int>& into = model[where % kLists];
      if (what % 3 == 0 || from.empty()) {
        RC_ASSERT(lists.add(key_of(next), choice % kLists, made(next)).has_value());
        from.push_back(next++);
        continue;
      }
      const auto victim = from.begin() + where % static_cast<std::ptrdiff_t>(from.size());
      const int number = *victim;
      from.erase(victim);
      const auto entry = lists.find(key_of(number));
      RC_ASSERT(entry.has_value());
      if (what % 3 == 1) {
        RC_ASSERT(*lists.take(*entry) == number);
      } else {
        lists.move(*entry, where % kLists);
        into.push_back(number);
      }
    }
    std::size_t sum = 0;
    for (const auto& [list, numbers] : model) {
      RC_ASSERT(numbers_of(lists, list) == numbers);
      RC_ASSERT(lists.size(list) == numbers.size());
      for (const int number : numbers) RC_ASSERT(*lists[*lists.find(key_of(number))] == number);
      sum += numbers.size();
    }
    RC_ASSERT(lists.size() == sum);
  }));
}
