#include <gtest/gtest.h>

#include "runtime/cli/usage.h"
#include "tests/runtime/cli/boat.h"

namespace skiff::cli {
namespace {

using Words = std::vector<std::string_view>;

std::string message(std::initializer_list<const char *> arguments) {
  const auto parsed = parse_boat(arguments);
  return parsed ? "accepted" : parsed.error().message();
}

TEST(Parse, ALongFlagIsReadInAllFourOfGosForms) {
  for (const auto &arguments : std::initializer_list<std::initializer_list<const char *>>{
           {"create", "--bundle", "/b", "c"},
           {"create", "--bundle=/b", "c"},
           {"create", "-bundle", "/b", "c"},
           {"create", "-bundle=/b", "c"},
           {"create", "-b", "/b", "c"},
           {"create", "-b=/b", "c"},
           {"create", "c", "--bundle", "/b"},
       }) {
    const auto create = parse_boat(arguments);
    ASSERT_TRUE(create) << create.error().message();
    EXPECT_EQ(create->flags.string("bundle"), "/b");
    EXPECT_EQ(create->positionals, Words{"c"});
  }
}

// docker's "network create".
constexpr Command kDockBuild{.name = "dock build", .usage = "DOCK", .max_positionals = 1};
constexpr Command kDockList{.name = "dock ls", .usage = ""};
constexpr std::array<const Command *, 2> kDockCommands = {&kDockBuild, &kDockList};
constexpr Program kHarbour{.name = "harbour", .commands = kDockCommands};

Result<Invocation> parse_harbour(const std::vector<const char *> &arguments) { return parse(kHarbour, arguments); }

TEST(Parse, ACommandMayHaveTwoWords) {
  const auto build = parse_harbour({"dock", "build", "east"});
  ASSERT_TRUE(build) << build.error().message();
  EXPECT_EQ(build->command, &kDockBuild);
  EXPECT_EQ(build->positionals, Words{"east"});
  EXPECT_EQ(parse_harbour({"help", "dock", "ls"})->command, &kDockList);
  EXPECT_EQ(parse_harbour({"dock", "burn"}).error().message(), "unknown command \"dock burn\"; one of build, ls");
  EXPECT_EQ(parse_harbour({"dock"}).error().message(), "dock: its command is missing; one of build, ls");
  EXPECT_EQ(parse_harbour({"dokc"}).error().message(), "unknown command \"dokc\"; did you mean dock?");
}

TEST(Parse, ContainerdsRestoreWithOneDashIsAccepted) {
  const auto create =
      parse_boat({"--root", "/r", "--log", "/l", "create", "--detach", "-no-subreaper", "--bundle", "/b", "c"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_TRUE(create->flags.boolean("no-subreaper"));
  EXPECT_EQ(create->global.string("root"), "/r");
  EXPECT_EQ(create->command, &kCreate);
}

TEST(Parse, AValueMayLookLikeAFlag) {
  const auto create = parse_boat({"create", "--bundle", "--detach", "c"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_EQ(create->flags.string("bundle"), "--detach");
  EXPECT_FALSE(create->flags.boolean("detach"));
}

TEST(Parse, AnEqualsSignInTheValueStays) {
  const auto exec = parse_boat({"exec", "--env=A=B=C", "c", "sh"});
  ASSERT_TRUE(exec) << exec.error().message();
  EXPECT_EQ(exec->flags.strings("env"), Words{"A=B=C"});
}

TEST(Parse, AFlagThatMayStandAloneTakesAValueBehindItsSignOnly) {
  const auto alone = parse_boat({"create", "--pull", "never"});
  ASSERT_TRUE(alone) << alone.error().message();
  EXPECT_EQ(alone->flags.string("pull"), "always");
  EXPECT_EQ(alone->positionals, Words{"never"});
  EXPECT_EQ(parse_boat({"create", "--pull=never", "c"})->flags.string("pull"), "never");
  EXPECT_EQ(parse_boat({"create", "-dp", "c"})->flags.string("pull"), "always");
  EXPECT_EQ(parse_boat({"create", "c"})->flags.string("pull"), "missing");
}

TEST(Parse, ABoolTakesNoWordAfterIt) {
  const auto create = parse_boat({"create", "--detach", "false"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_TRUE(create->flags.boolean("detach"));
  EXPECT_EQ(create->positionals, Words{"false"});
}

TEST(Parse, LettersOfBoolsMayBeJoinedAndTheLastMayTakeAValue) {
  const auto exec = parse_boat({"exec", "-td", "-tu", "1000", "c", "sh"});
  ASSERT_TRUE(exec) << exec.error().message();
  EXPECT_TRUE(exec->flags.boolean("tty"));
  EXPECT_TRUE(exec->flags.boolean("detach"));
  EXPECT_EQ(exec->flags.string("user"), "1000");
}

// As docker's `run -itp8080:80 -eA=b`.
TEST(Parse, WhereValuesMayBeJoinedALetterTakesTheRestOfItsWord) {
  const auto sail = parse_boat({"sail", "-eA=b", "-dtu1000:5", "-e=C=d", "-te", "E=f", "crew"});
  ASSERT_TRUE(sail) << sail.error().message();
  EXPECT_EQ(sail->flags.strings("env"), (Words{"A=b", "C=d", "E=f"}));
  EXPECT_TRUE(sail->flags.boolean("detach"));
  EXPECT_TRUE(sail->flags.boolean("tty"));
  EXPECT_EQ(sail->flags.string("user"), "1000:5");
  EXPECT_EQ(parse_boat({"sail", "-tx", "crew"}).error().message(),
            "sail: unknown flag -x; boat sail --help lists the flags");
  EXPECT_EQ(parse_boat({"sail", "-x1", "crew"}).error().message(),
            "sail: unknown flag -x1; boat sail --help lists the flags");
  EXPECT_EQ(parse_boat({"sail", "-tu"}).error().message(), "sail: flag needs an argument: -u");
  EXPECT_FALSE(parse_boat({"sail", "-t=false", "crew"})->flags.boolean("tty"));
}

TEST(Parse, AfterItsFirstPositionalExecLeavesFlagsToTheProgram) {
  const auto exec = parse_boat({"exec", "-t", "c", "ls", "-l", "--env", "--", "-x"});
  ASSERT_TRUE(exec) << exec.error().message();
  EXPECT_EQ(exec->positionals, (Words{"c", "ls", "-l", "--env", "--", "-x"}));
  EXPECT_TRUE(exec->flags.strings("env").empty());
}

TEST(Parse, DashesRightAfterTheContainerOfExecAreOurs) {
  const auto exec = parse_boat({"exec", "c", "--", "sh", "-c", "true"});
  ASSERT_TRUE(exec) << exec.error().message();
  EXPECT_EQ(exec->positionals, (Words{"c", "sh", "-c", "true"}));
}

TEST(Parse, ASignalMayBeWrittenWithADash) {
  const auto kill = parse_boat({"kill", "c", "-9"});
  ASSERT_TRUE(kill) << kill.error().message();
  EXPECT_EQ(kill->positionals, (Words{"c", "-9"}));
}

TEST(Parse, TwoDashesEndTheFlags) {
  const auto create = parse_boat({"create", "--", "-odd"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_EQ(create->positionals, Words{"-odd"});
}

TEST(Parse, ASingleDashIsAValueOrAPositional) {
  const auto create = parse_boat({"create", "--bundle", "-", "-"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_EQ(create->flags.string("bundle"), "-");
  EXPECT_EQ(create->positionals, Words{"-"});
}

TEST(Parse, AGlobalFlagMayFollowTheCommand) {
  const auto create = parse_boat({"create", "--debug", "--root=/r", "c"});
  ASSERT_TRUE(create) << create.error().message();
  EXPECT_TRUE(create->global.boolean("debug"));
  EXPECT_EQ(create->global.string("root"), "/r");
}

TEST(Parse, HiddenFlagsAndCommandsAreAccepted) {
  EXPECT_EQ(message({"--rootless", "true", "man"}), "accepted");
  EXPECT_EQ(parse_boat({"man"})->command, &kManual);
}

TEST(Parse, AMissingArgumentIsSaidInTheWordsThatPodmanLooksFor) {
  EXPECT_EQ(message({"create", "--lsm-mount-context"}), "create: flag needs an argument: --lsm-mount-context");
  EXPECT_EQ(message({"create", "-lsm-mount-context"}), "create: flag needs an argument: -lsm-mount-context");
  EXPECT_EQ(message({"--root"}), "flag needs an argument: --root");
}

TEST(Parse, AnUnknownFlagGetsTheNearestKnownOne) {
  EXPECT_EQ(message({"create", "--bundel", "/b", "c"}), "create: unknown flag --bundel; did you mean --bundle?");
  EXPECT_EQ(message({"create", "--pre", "c"}), "create: unknown flag --pre; boat create --help lists the flags");
  EXPECT_EQ(message({"create", "--no-subreapr", "c"}),
            "create: unknown flag --no-subreapr; boat create --help lists the flags");
  EXPECT_EQ(message({"-degub", "create"}), "unknown flag -degub; did you mean --debug?");
  EXPECT_EQ(message({"--frobnicate"}), "unknown flag --frobnicate; boat --help lists the flags");
  EXPECT_EQ(message({"exec", "-tx", "c"}), "exec: unknown flag -tx; boat exec --help lists the flags");
}

TEST(Parse, AnUnknownCommandGetsTheNearestKnownOne) {
  EXPECT_EQ(message({"craete", "c"}), "unknown command \"craete\"; did you mean create?");
  EXPECT_EQ(message({"frobnicate"}), "unknown command \"frobnicate\"; boat --help lists the commands");
}

TEST(Parse, HelpOnAnUnknownCommandIsSaidInRuncsWords) {
  EXPECT_EQ(message({"frobnicate", "-h"}), "No help topic for 'frobnicate'; boat --help lists the commands");
}

TEST(Parse, TheNumberOfPositionalsIsChecked) {
  EXPECT_EQ(message({"create"}), "create: requires exactly 1 argument, got 0; usage: boat create [flags] CONTAINER");
  EXPECT_EQ(message({"create", "a", "b"}),
            "create: requires exactly 1 argument, got 2; usage: boat create [flags] CONTAINER");
  EXPECT_EQ(message({"kill"}), "kill: requires at least 1 argument, got 0; usage: boat kill CONTAINER [SIGNAL]");
  EXPECT_EQ(message({"kill", "a", "b", "c"}),
            "kill: requires at most 2 arguments, got 3; usage: boat kill CONTAINER [SIGNAL]");
  EXPECT_EQ(message({"features", "x"}), "features: requires exactly 0 arguments, got 1; usage: boat features");
}

TEST(Parse, HelpAsksForNothingElse) {
  for (const auto &arguments : std::initializer_list<std::initializer_list<const char *>>{
           {"create", "--help"}, {"create", "-h"}, {"help", "create"}, {"h", "create"}, {"--help", "create"}}) {
    const auto parsed = parse_boat(arguments);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_TRUE(parsed->help);
  }
  EXPECT_EQ(parse_boat({"help", "create"})->command, &kCreate);
  EXPECT_EQ(parse_boat({"help"})->command, nullptr);
  EXPECT_EQ(message({"help", "craete"}), "unknown command \"craete\"; did you mean create?");
}

TEST(Parse, WithoutACommandThereIsNone) {
  const auto parsed = parse_boat({"--debug"});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->command, nullptr);
  EXPECT_TRUE(parsed->global.boolean("debug"));
  EXPECT_FALSE(parsed->help);
}

TEST(Parse, TheVersionIsAGlobalFlag) {
  EXPECT_TRUE(parse_boat({"--version"})->version);
  EXPECT_TRUE(parse_boat({"-v"})->version);
  EXPECT_TRUE(parse_boat({"--debug", "-version"})->version);
  EXPECT_EQ(message({"create", "-v", "c"}).substr(0, 24), "create: unknown flag -v;");
}

constexpr std::array<FlagSpec, 1> kRaftFlags = {{{.name = "speed", .letter = 's', .text = "how fast"}}};
constexpr Command kDrift = {
    .usage = "RIVER...", .summary = "drifts", .flags = kRaftFlags, .min_positionals = 1, .max_positionals = kUnlimited};
constexpr std::array<const Command *, 1> kRaftCommands = {&kDrift};
constexpr Program kRaft = {.name = "raft", .version = "1", .summary = "drifts", .commands = kRaftCommands};

Result<Invocation> parse_raft(std::initializer_list<const char *> arguments) {
  return parse(kRaft, std::span(arguments.begin(), arguments.size()));
}

TEST(Parse, AProgramOfOneNamelessCommandNeedsNoName) {
  const auto parsed = parse_raft({"-s", "7", "ister", "donau"});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->command, &kDrift);
  EXPECT_EQ(parsed->flags.string("speed"), "7");
  EXPECT_EQ(parsed->positionals, (std::vector<std::string_view>{"ister", "donau"}));
  EXPECT_TRUE(parse_raft({"--version"})->version);
  EXPECT_TRUE(parse_raft({"--help"})->help);
}

TEST(Parse, AProgramOfOneNamelessCommandExplainsItself) {
  EXPECT_EQ(parse_raft({}).error().message(), "requires at least 1 argument, got 0; usage: raft [flags] RIVER...");
  EXPECT_EQ(parse_raft({"--weight"}).error().message(), "unknown flag --weight; raft --help lists the flags");
  EXPECT_TRUE(
      command_help(kRaft, kDrift).starts_with("NAME:\n   raft - drifts\n\nusage: raft [flags] RIVER...\n\nflags:"));
}

}  // namespace
}  // namespace skiff::cli
