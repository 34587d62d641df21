// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/gdb_stub.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

using testing::ElementsAre;

std::string packet(const std::string& text) {
  unsigned sum = 0;
  for (const unsigned char one : text)
    sum += one;
  return fmt::format("${}#{:02x}", text, sum & 255);
}

// As the stub writes 8 bytes: the lowest first.
std::string word(std::uint64_t value) {
  std::string text;
  for (int byte = 0; byte < 8; ++byte)
    text += fmt::format("{:02x}", value >> 8 * byte & 255);
  return text;
}

// Answers each request by what is given, with an acknowledgement before, and keeps what was asked.
class FakeStub {
public:
  explicit FakeStub(std::vector<std::string> answers) : answers_(std::move(answers)) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = FileDescriptor(ends[0]);
    theirs_ = FileDescriptor(ends[1]);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeStub() { thread_.join(); }
  GdbStub client() { return GdbStub(std::move(theirs_)); }
  std::vector<std::string> asked;

private:
  void serve() {
    std::string unread;
    char buffer[512];
    for (ssize_t got; (got = read(ours_.get(), buffer, sizeof buffer)) > 0;) {
      unread.append(buffer, static_cast<std::size_t>(got));
      while (!unread.empty()) {
        if (unread[0] == '+') {
          unread.erase(0, 1);
          continue;
        }
        if (unread[0] == '\x03') {
          asked.emplace_back("stop");
          unread.erase(0, 1);
        } else {
          const auto hash = unread.find('#');
          if (hash == std::string::npos || unread.size() < hash + 3)
            break;
          const auto text = unread.substr(1, hash - 1);
          EXPECT_EQ(unread.substr(0, hash + 3), packet(text)) << "the sum";
          asked.push_back(text);
          unread.erase(0, hash + 3);
          if (text == "c")
            continue;
        }
        if (answers_.empty())
          return;
        const auto answer = "+" + packet(answers_.front());
        answers_.erase(answers_.begin());
        EXPECT_GT(write(ours_.get(), answer.data(), answer.size()), 0);
      }
    }
  }
  std::vector<std::string> answers_;
  FileDescriptor ours_, theirs_;
  std::thread thread_;
};

TEST(Registers, AreReadAsTheStubWritesThem) {
  std::string answer;
  for (std::uint64_t number = 0; number < 17; ++number)
    answer += word(0xffffffff80000000 + number);
  const auto registers = registers_in(answer + "46020000");
  ASSERT_TRUE(registers);
  EXPECT_EQ(registers->bp(), 0xffffffff80000006);
  EXPECT_EQ(registers->sp(), 0xffffffff80000007);
  EXPECT_EQ(registers->ip, 0xffffffff80000010);
  EXPECT_FALSE(registers_in(answer.substr(0, answer.size() - 2)));
  EXPECT_FALSE(registers_in("E01"));
}

TEST(GdbStub, AsksAndUnderstands) {
  std::string registers;
  for (std::uint64_t number = 0; number < 17; ++number)
    registers += word(number);
  FakeStub fake({"T02thread:01;", "m1", "m2", "l", "OK", registers, "0a0b", "E14"});
  {
    auto stub = fake.client();
    EXPECT_TRUE(stub.go_on());
    EXPECT_TRUE(*stub.stop());
    EXPECT_THAT(*stub.processors(), ElementsAre("1", "2"));
    EXPECT_EQ(stub.registers("2")->ip, 16u);
    EXPECT_THAT(*stub.memory(0xffff800000000000, 2), ElementsAre(10, 11));
    EXPECT_TRUE(stub.memory(0, 8)->empty()) << "nothing is mapped there";
  }
  EXPECT_THAT(fake.asked, ElementsAre("c", "stop", "qfThreadInfo", "qsThreadInfo", "qsThreadInfo", "Hg2", "g",
                                      "mffff800000000000,2", "m0,8"));
}

TEST(GdbStub, SeesThatTheMachineHasEnded) {
  FakeStub fake({"W00"});
  {
    auto stub = fake.client();
    EXPECT_FALSE(*stub.stop());
  }
  FakeStub gone({});
  auto stub = gone.client();
  EXPECT_FALSE(*stub.stop());
}

} // namespace
} // namespace ukl
