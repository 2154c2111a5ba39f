// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/choreography.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using conga::bus::Arrow;
using conga::bus::arrows_of;
using conga::bus::Declaration;
using conga::bus::may_match;
using conga::bus::may_match_from_elsewhere;
using conga::bus::Pattern;
using conga::bus::read_declaration;
using conga::bus::RuleFile;
using conga::bus::RuleSet;

namespace {

constexpr const char* kRules = R"(
rules:
  - name: order-to-billing
    pattern:
      source: [shop.orders]
      detail-type: [OrderPlaced]
      detail: {total: [{numeric: [">", 0]}]}
    targets: [{service: billing}, {topic: board}]
  - name: any-of-two
    pattern: {"$or": [{source: [shop.billing]}, {detail-type: [{prefix: Order}]}]}
    targets: [{service: audit}]
  - name: asleep
    enabled: false
    pattern: {source: [shop.orders]}
    targets: [{service: audit}]
)";

RuleSet rules() {
  const std::vector<RuleFile> files{{.name = "rules.yaml", .text = kRules}};
  auto parsed = RuleSet::parse(files);
  REQUIRE(parsed);
  return std::move(*parsed);
}

bool matches(const std::string& pattern, const std::string& source, const std::string& type) {
  const auto parsed = Pattern::parse_json(pattern);
  REQUIRE(parsed);
  return may_match(*parsed, source, type);
}

}  // namespace

TEST_CASE("a pattern may match whoever's source and detail-type it admits, whatever else it asks") {
  const std::string both = R"({"source": ["a"], "detail-type": ["X"], "detail": {"n": [1]}})";
  CHECK(matches(both, "a", "X"));
  CHECK_FALSE(matches(both, "b", "X"));
  CHECK_FALSE(matches(both, "a", "Y"));
  CHECK(matches(R"({"source": [{"anything-but": ["a"]}]})", "b", "X"));
  CHECK_FALSE(matches(R"({"source": [{"exists": false}]})", "b", "X"));
  const std::string either = R"({"$or": [{"source": ["a"]}, {"detail-type": ["Y"]}]})";
  CHECK(matches(either, "b", "Y"));
  CHECK_FALSE(matches(either, "b", "X"));
}

TEST_CASE("what comes from elsewhere has a source that no service has") {
  const auto may = [](const std::string& pattern) {
    return may_match_from_elsewhere(*Pattern::parse_json(pattern), {"a", "b"}, "X");
  };
  CHECK_FALSE(may(R"({"source": ["a", "b"]})"));
  CHECK(may(R"({"source": ["a", "c"]})"));
  CHECK(may(R"({"source": [{"prefix": "a"}]})"));
  CHECK(may(R"({"detail-type": ["X"]})"));
  CHECK_FALSE(may(R"({"detail-type": ["Y"]})"));
}

TEST_CASE("an arrow goes from who emits over the rule that may match to each of its targets") {
  const std::vector<Declaration> declared{{.service = "orders",
                                           .source = "shop.orders",
                                           .consumes = {"Clicked"},
                                           .emits = {"OrderPlaced"}},
                                          {.service = "billing",
                                           .source = "shop.billing",
                                           .consumes = {"OrderPlaced"},
                                           .emits = {"Billed"}}};
  const std::vector<Arrow> wanted{{.from = "orders",
                                   .detail_type = "OrderPlaced",
                                   .rule = "order-to-billing",
                                   .to = "billing",
                                   .target = "billing"},
                                  {.from = "orders",
                                   .detail_type = "OrderPlaced",
                                   .rule = "order-to-billing",
                                   .to = "topic: board",
                                   .target = "topic: board"},
                                  {.from = "orders",
                                   .detail_type = "OrderPlaced",
                                   .rule = "any-of-two",
                                   .to = "audit",
                                   .target = "audit"},
                                  {.from = "billing",
                                   .detail_type = "Billed",
                                   .rule = "any-of-two",
                                   .to = "audit",
                                   .target = "audit"}};
  // Clicked comes from outside, and no rule asks for a source that is not declared.
  const std::vector<Arrow> found = arrows_of(rules(), declared);
  CHECK(found == wanted);
}

TEST_CASE("a declaration is read from a manifest, and a faulty one is refused by its field") {
  const auto read = read_declaration(
      R"({"service": "s", "source": "x.s", "consumes": [{"detail-type": "A", "schema": {}}],)"
      R"( "emits": []})");
  REQUIRE(read);
  CHECK(read->service == "s");
  CHECK(read->consumes == std::vector<std::string>{"A"});
  CHECK(read_declaration(R"({"service": "s", "source": "x.s", "consumes": [3], "emits": []})")
            .error()
            .what
        == "consumes: expected a map with detail-type");
  CHECK(read_declaration(R"({"service": 1})").error().what == "service: expected text");
  CHECK(read_declaration("[").error().code == "InvalidManifest");
}
