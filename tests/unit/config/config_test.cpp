// SPDX-License-Identifier: Apache-2.0

#include "common/config/config_reader.h"

#include <doctest/doctest.h>

#include <string>

using conga::ConfigFaults;
using conga::ConfigReader;
using conga::Document;
using conga::Duration;
using conga::parse_yaml;
using namespace std::chrono_literals;

namespace {

Document parsed(std::string_view text) {
  auto document = parse_yaml(text, "f.yaml");
  REQUIRE(document);
  return *document;
}

}  // namespace

TEST_CASE("plain scalars have YAML 1.2's types, quoted ones are text") {
  const Document list = parsed(
      "[null, ~, true, 12, -3, 0x1f, 18446744073709551615, 1.5, 3e2, .inf, yes, 1.2.3, "
      "'12', \"true\", 1e400]");
  using enum Document::Kind;
  const std::vector<Document::Kind> kinds{Null,
                                          Null,
                                          Boolean,
                                          Integer,
                                          Integer,
                                          Integer,
                                          Unsigned,
                                          Double,
                                          Double,
                                          Double,
                                          String,
                                          String,
                                          String,
                                          String,
                                          Double};
  REQUIRE(list.elements.size() == kinds.size());
  for (std::size_t at = 0; at < kinds.size(); ++at) {
    CAPTURE(list.elements[at].text);
    CHECK(list.elements[at].kind == kinds[at]);
  }
  CHECK(list.elements[5].integer == 31);
}

TEST_CASE("pasted JSON means what it means in JSON") {
  const Document map = parsed(R"({"a":["\u00e9\ud83d\ude00\/"],"a":[{"n":1.0}],"long":"x"})");
  REQUIRE(map.members.size() == 3);
  CHECK(map.members[0].value.elements[0].text == "é😀/");
  CHECK(map.find("a")->elements[0].members[0].value.kind == Document::Kind::Double);
}

TEST_CASE("a fault in YAML names its place") {
  const auto broken = parse_yaml("a: 1\nb: [1, 2\nc: 3\n", "f.yaml");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().what.starts_with("f.yaml:3:"));
  CHECK_FALSE(parse_yaml("a: !!python/object x", "f.yaml"));
}

TEST_CASE("nodes know where they stand") {
  const Document map = parsed("a:\n  b: 5\n");
  CHECK(map.members[0].value.members[0].line == 2);
  CHECK(map.members[0].value.members[0].column == 3);
  CHECK(map.members[0].value.members[0].value.column == 6);
}

TEST_CASE("every fault is told at once, with its place and what is allowed") {
  const Document map = parsed("credit: 0\ntimout: 5s\nmode: fast\nsize: 3 apples\nage: 10s\n");
  ConfigFaults faults("f.yaml");
  ConfigReader reader(map, "", faults);
  std::uint32_t credit = 7;
  Duration timeout = 1s;
  Duration age = 60s;
  std::uint64_t size = 1;
  int mode = 0;
  reader.integer("credit", credit, 1, 100);
  reader.duration("timeout", timeout, 1s, 1min);
  reader.duration("age", age, 60s, 24h);
  reader.bytes("size", size, 1, 1024);
  reader.choice<int>("mode", mode, {{"process", 1}, {"embedded", 2}});
  reader.finish();
  const std::string what = faults.error().what;
  CHECK(what.find("f.yaml:1:9: credit: expected an integer from 1 to 100, got the number 0")
        != std::string::npos);
  CHECK(what.find("f.yaml:2:1: timout: unknown key, did you mean timeout?") != std::string::npos);
  CHECK(what.find("f.yaml:3:7: mode: expected one of process, embedded, got the text 'fast'")
        != std::string::npos);
  CHECK(what.find("f.yaml:4:7: size: expected a size from 1 to 1KiB") != std::string::npos);
  CHECK(what.find("f.yaml:5:6: age: expected a duration from 1m to 1d") != std::string::npos);
  CHECK(credit == 7);
}

TEST_CASE("good values arrive, absent ones keep their defaults") {
  const Document map = parsed("journal: {segment: 16MiB}\nlog: debug\nnames: [a, b]\n");
  ConfigFaults faults("dir/f.yaml");
  ConfigReader reader(map, "", faults);
  ConfigReader journal = reader.section("journal");
  std::uint64_t segment = 0;
  std::string path = "kept";
  std::vector<std::string> names;
  std::string log;
  journal.bytes("segment", segment, 1, 1ULL << 40U);
  journal.path("directory", path);
  journal.finish();
  reader.texts("names", names);
  reader.text("log", log);
  reader.finish();
  CHECK(faults.empty());
  CHECK(segment == 16 * 1024 * 1024);
  CHECK(path == "kept");
  CHECK(names.size() == 2);
}

TEST_CASE("a value set on the command line replaces the file's, or is added") {
  Document map = parsed("a: {b: 1}\n");
  REQUIRE(conga::override_value(map, "a.b=5"));
  REQUIRE(conga::override_value(map, "x.y.z=200ms"));
  CHECK(map.find("a")->find("b")->integer == 5);
  CHECK(map.find("x")->find("y")->find("z")->text == "200ms");
  CHECK_FALSE(conga::override_value(map, "no-value"));
}

TEST_CASE("the reader itself complains of unknown and repeated keys when it goes") {
  const Document map =
      parsed("log: {level: info, colour: yes}\nlog: {}\nitems: [{a: 1, b: 2}, 5]\n");
  ConfigFaults faults("f.yaml");
  {
    ConfigReader reader(map, "", faults);
    int seen = 0;
    reader.each("items", [&seen](ConfigReader& item) { item.integer("a", seen, 0, 9); });
    reader.section("log");
    CHECK(seen == 1);
  }
  const std::string what = faults.error().what;
  CHECK(what.find("f.yaml:2:1: log: is there twice") != std::string::npos);
  CHECK(what.find("f.yaml:3:16: items[0].b: unknown key. Allowed: a") == std::string::npos);
  CHECK(what.find("items[0].b: unknown key") != std::string::npos);
  CHECK(what.find("expected a map, got the number 5") != std::string::npos);
}

TEST_CASE("a value set on the command line is YAML and its faults say where it came from") {
  Document map = parsed("names: [a]\npath: p\n");
  REQUIRE(conga::override_value(map, "names=[b, \"c d\"]"));
  REQUIRE(conga::override_value(map, "path=here"));
  REQUIRE(conga::override_value(map, "credit=many"));
  CHECK_FALSE(conga::override_value(map, "names=[b"));
  ConfigFaults faults("folder/f.yaml");
  std::vector<std::string> names;
  std::string path;
  int credit = 1;
  {
    ConfigReader reader(map, "", faults);
    reader.texts("names", names);
    reader.path("path", path);
    reader.integer("credit", credit, 1, 9);
  }
  CHECK(names == std::vector<std::string>{"b", "c d"});
  CHECK(path == "here");
  CHECK(faults.error().what
        == "--set credit: expected an integer from 1 to 9, got the text 'many'");
}

TEST_CASE("a file that is not there is named") {
  const auto missing = conga::load_config("/nowhere/bus.yaml", {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().what.starts_with("/nowhere/bus.yaml: cannot be read: No such file"));
  const auto none = conga::load_config("", {"name=x"});
  REQUIRE(none);
  CHECK(none->find("name")->text == "x");
}
