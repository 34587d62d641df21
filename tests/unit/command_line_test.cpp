// SPDX-License-Identifier: GPL-2.0-only
// The tool as a user starts it: its standard streams, its options, the files that it writes. No machine is
// booted.
#include "image/write.hpp"
#include "sample_files.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// Scripts run in a folder of their own with $UKL, the tool, and $PACK, `ukl pack` with a kernel and an init
// that boot nowhere; ./program is a program.
class CommandLine : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    make_sample_kernel(at("vmlinux"));
    fs::create_directories(at("home"));
    fs::create_directories(at("tmp"));
    // Without a C library, so that a pack takes no time.
    compile_sample(at("home/ukl-init"), "void _start(void) { for (;;); }", {"-static", "-nostdlib"});
    fs::copy_file(at("home/ukl-init"), at("program"));
    fs::create_symlink(UKL_SOURCE_DIR "/include", at("home/include"));
    fs::create_symlink(UKL_SOURCE_DIR "/kernel", at("home/kernel"));
  }

  // Standard output and error together; the script's own redirections come first.
  Output shell(const std::string& script) {
    ProcessOptions options;
    options.directory = at("").string();
    options.environment = {"UKL=" UKL_BINARY_DIR "/ukl",
                           "UKL_CC_DRIVER=" UKL_BINARY_DIR "/ukl-cc",
                           "UKL_HOME=" + at("home").string(),
                           "UKL_CACHE=" + at("cache").string(),
                           "TMPDIR=" + at("tmp").string(),
                           "K=--kernel vmlinux",
                           "PACK=" UKL_BINARY_DIR "/ukl pack --kernel vmlinux"};
    auto output = run_command({"bash", "-c", "umask 022; " + script}, options);
    EXPECT_TRUE(output);
    return *output;
  }

  // What a program in the image gets as arguments.
  std::vector<std::string> arguments(const std::string& image) {
    auto info = read_image(at(image));
    EXPECT_TRUE(info) << info.error().message;
    auto all = info ? values_of(info->manifest, key::argument) : std::vector<std::string>{""};
    all.erase(all.begin());
    return all;
  }

  mode_t mode(const std::string& name) {
    struct stat info = {};
    EXPECT_EQ(stat(at(name).c_str(), &info), 0) << name;
    return info.st_mode & 07777;
  }

  std::string text(const std::string& name) {
    auto read = read_text(at(name));
    return read ? *read : read.error().message;
  }
};

class Streams : public CommandLine {};

TEST_F(Streams, ClosedOrFullStandardErrorLosesNotesAndNothingElse) {
  for (const char* redirection : {"2>&-", "2>/dev/full", ">&-", "<&-", "<&- >&- 2>&-", ">/dev/full"}) {
    const auto output = shell(fmt::format("$PACK ./program -o image {}", redirection));
    EXPECT_EQ(output.status, 0) << redirection << output.text;
    EXPECT_TRUE(read_image(at("image"))) << redirection;
    fs::remove(at("image"));
  }
}

// A file that got number 1 or 2 would take up what the tool prints.
TEST_F(Streams, WithAllStreamsClosedTheImageIsTheSameByteForByte) {
  ASSERT_EQ(shell("$PACK ./program --json -o open").status, 0);
  EXPECT_EQ(shell("$PACK ./program --json -o closed <&- >&- 2>&-").status, 25);
  EXPECT_EQ(shell("cmp open closed").status, 0);
}

TEST_F(Streams, OutputThatCannotBeWrittenIsAnError) {
  ASSERT_EQ(shell("$PACK ./program -o image").status, 0);
  for (const char* command :
       {"inspect image", "inspect --json image", "inspect --syscalls image",
        "inspect --syscalls --json program", "kernel list --json", "kernel config", "run --dry-run image",
        "pack --kernel vmlinux ./program --json", "--help", "pack --help", "--version"}) {
    const auto full = shell(fmt::format("$UKL {} > /dev/full", command));
    EXPECT_EQ(full.status, 26) << command << full.text;
    EXPECT_THAT(full.text, HasSubstr("cannot write standard output: No space left on device")) << command;
    const auto closed = shell(fmt::format("$UKL {} >&-", command));
    EXPECT_EQ(closed.status, 25) << command << closed.text;
    EXPECT_THAT(closed.text, HasSubstr("cannot write standard output: Bad file descriptor")) << command;
    const auto cut =
        shell(fmt::format("set -o pipefail; (trap '' PIPE; sleep 0.3; $UKL {}) | true", command));
    EXPECT_EQ(cut.status, 25) << command << cut.text;
    EXPECT_THAT(cut.text, HasSubstr("cannot write standard output: Broken pipe")) << command;
  }
  EXPECT_EQ(shell("$UKL_CC_DRIVER --help > /dev/full").status, 26);
}

// As another program that shares a pipe or terminal with the tool may leave it.
TEST_F(Streams, ANonBlockingPipeLosesNothing) {
  const auto output =
      shell("libc=/usr/lib/x86_64-linux-gnu/libc.so.6; $UKL inspect --syscalls --json $libc > whole; "
            "(dd if=/dev/null oflag=nonblock status=none; exec $UKL inspect --syscalls --json $libc) | "
            "(sleep 1; cat) > piped; cmp whole piped && [ $(stat -c %s whole) -gt 65536 ]");
  EXPECT_EQ(output.status, 0) << output.text;
}

TEST_F(Streams, AFileSizeLimitIsAFullDisk) {
  const auto output = shell("ulimit -f 8; $PACK ./program -o image");
  EXPECT_EQ(output.status, 26) << output.text;
  EXPECT_FALSE(fs::exists(at("image")));
  EXPECT_THAT(shell("ls -A . tmp").text, Not(HasSubstr("image")));
}

TEST_F(Streams, TooLittleMemoryIsAnError) {
  const auto output =
      shell("truncate -s 1G large; ulimit -v 500000; $PACK ./program --file large:/x -o image");
  EXPECT_EQ(output.status, 33) << output.text;
  EXPECT_THAT(output.text, HasSubstr("too little memory"));
  EXPECT_FALSE(fs::exists(at("image")));
}

class Divider : public CommandLine {};

// Each repeatable option directly before `--`, before PROGRAM, and with =, once and twice.
TEST_F(Divider, RepeatableOptionsTakeOneValueEach) {
  ASSERT_TRUE(write_text(at("hi.txt"), "hi\n"));
  const std::vector<std::string> options = {
      "--file hi.txt:/hi",      "--library-path .",       "--env A=1",
      "--dns 10.0.2.3",         "--limit nofile=1024",    "--call all=full",
      "--allow-syscall openat", "--only-syscall getppid", "--syscall all:full",
      "--sysctl kernel.panic=1"};
  const std::vector<std::string> expected = {"-g", "--", "x", "--env"};
  for (const auto& option : options)
    for (const auto* form : {"./program {0} -- -g -- x --env", "{0} ./program -- -g -- x --env",
                             "./program {0} {0} -- -g -- x --env", "{0} {0} ./program -- -g -- x --env",
                             "{0} -- ./program -g -- x --env", "{1} ./program -- -g -- x --env"}) {
      const auto line =
          fmt::format(fmt::runtime(form), option, std::string(option).replace(option.find(' '), 1, "="));
      const auto output = shell("$PACK -o image " + line);
      ASSERT_EQ(output.status, 0) << line << "\n" << output.text;
      EXPECT_EQ(arguments("image"), expected) << line;
    }
}

TEST_F(Divider, ProgramsMayBeNamedAsCommandsAre) {
  for (const char* name : {"run", "pack", "kernel"}) {
    fs::copy_file(at("program"), at(name));
    const auto output = shell(fmt::format("PATH=.:$PATH $PACK {0} -o image -- {0} build", name));
    ASSERT_EQ(output.status, 0) << output.text;
    EXPECT_EQ(arguments("image"), (std::vector<std::string>{name, "build"}));
  }
}

TEST_F(Divider, BuildAndRun) {
  ASSERT_TRUE(write_text(at("m.c"), "int main(void) { return 0; }\n"));
  ASSERT_TRUE(write_text(at("hi.txt"), "hi\n"));
  for (const char* line : {"m.c --file hi.txt:/hi -- -g --env", "--file hi.txt:/hi m.c -- -g --env",
                           "--env A=1 -O1 m.c --env B=2 -- -g --env", "--env A=1 --env B=2 -- -g --env"}) {
    const bool no_source = std::string(line).find("m.c") == std::string::npos;
    const auto output = shell(fmt::format("$UKL build --kernel vmlinux -o image {}", line));
    ASSERT_EQ(output.status, no_source ? 2 : 0) << line << "\n" << output.text;
    if (!no_source) {
      EXPECT_EQ(arguments("image"), (std::vector<std::string>{"-g", "--env"})) << line;
    }
  }
  for (const char* options : {"-p 18080:80", "--env A=1", "--volume .:/v", "--qemu-arg=-no-reboot"})
    for (const char* form : {"image {} -- -g --env", "{} image -- -g --env"}) {
      const auto line = fmt::format(fmt::runtime(form), options);
      const auto output = shell("$UKL run --dry-run --accel tcg " + line);
      EXPECT_EQ(output.status, 0) << line << "\n" << output.text;
      EXPECT_THAT(output.text, HasSubstr("-g")) << line;
    }
}

class Overwriting : public CommandLine {
protected:
  // `command` must be refused and leave all files as they are.
  void refused(const std::string& command, const std::string& file) {
    const auto before = text(file);
    const auto output = shell(command);
    EXPECT_EQ(output.status, 2) << command << "\n" << output.text;
    EXPECT_THAT(output.text, HasSubstr("input")) << command;
    EXPECT_TRUE(text(file) == before) << command;
  }
};

TEST_F(Overwriting, NoOutputIsAnInputOfPack) {
  fs::create_hard_link(at("program"), at("hard"));
  fs::create_symlink("program", at("soft"));
  for (const char* output : {"program", "./program", "hard", "soft", "../$(basename $PWD)/program"})
    refused(fmt::format("$PACK ./program -o {}", output), "program");
  ASSERT_TRUE(write_text(at("calls"), "openat\n"));
  ASSERT_TRUE(write_text(at("added/inside/x"), "x") || fs::create_directories(at("added/inside")));
  ASSERT_TRUE(write_text(at("added/inside/x"), "x"));
  compile_sample(at("libother.so"), "int other(void) { return 0; }", {"-shared", "-fPIC"});
  ASSERT_TRUE(write_text(at("script"), "#!" + at("program").string() + "\n"));
  refused("$PACK ./program -o vmlinux", "vmlinux");
  refused("$PACK ./program -o calls --call @calls=default", "calls");
  refused("$PACK ./program -o calls --calls @calls", "calls");
  refused("$PACK ./program --file added:/a -o added/inside/x", "added/inside/x");
  refused("$PACK ./program --file libother.so:/x/libother.so -o libother.so", "libother.so");
  refused("$PACK ./script -o program", "program");
  refused("$PACK ./script -o script", "script");
}

TEST_F(Overwriting, NoOutputIsAnInputOfBuildAndTheDriver) {
  fs::create_directories(at("my headers"));
  ASSERT_TRUE(write_text(at("my headers/h.ukl"), "#define ZERO 0\n"));
  ASSERT_TRUE(write_text(at("m.c"), "#include \"my headers/h.ukl\"\nint main(void) { return ZERO; }\n"));
  ASSERT_TRUE(write_text(at("options"), "-O1\n"));
  fs::copy_file(at("m.c"), at("m.ukl"));
  refused("$UKL build $K m.c -o m.c", "m.c");
  refused("$UKL build $K -x c m.ukl", "m.ukl");
  refused("$UKL build $K m.c @options -o options", "options");
  refused("$UKL build $K m.c -o 'my headers/h.ukl'", "my headers/h.ukl");
  refused("$UKL_CC_DRIVER m.c -o m.c", "m.c");
  refused("ln -s m.c link; $UKL_CC_DRIVER m.c -o link", "m.c");
  refused("$UKL_CC_DRIVER m.c -o 'my headers/h.ukl'", "my headers/h.ukl");
  EXPECT_TRUE(fs::is_empty(at("tmp")));
}

TEST_F(Overwriting, ALinkLeadsToWhatIsWritten) {
  fs::create_directories(at("elsewhere"));
  fs::create_symlink("elsewhere/new", at("dangling"));
  fs::create_symlink("dangling", at("two"));
  ASSERT_EQ(shell("$PACK ./program -o two").status, 0);
  EXPECT_TRUE(fs::is_symlink(at("two")) && fs::is_symlink(at("dangling")));
  EXPECT_TRUE(read_image(at("elsewhere/new")));
  fs::create_symlink("loop", at("loop"));
  const auto loop = shell("$PACK ./program -o loop");
  EXPECT_EQ(loop.status, 25) << loop.text;
  EXPECT_TRUE(fs::is_symlink(at("loop")));
}

class ImageMode : public CommandLine {};

TEST_F(ImageMode, FollowsTheUmaskAndThePackedFiles) {
  ASSERT_TRUE(write_text(at("key"), "secret"));
  fs::create_directories(at("tree/sub"));
  ASSERT_TRUE(write_text(at("tree/sub/x"), "x"));
  const auto packed = [&](const std::string& script) {
    fs::remove(at("image"));
    const auto output = shell(script);
    EXPECT_EQ(output.status, 0) << script << output.text;
    return mode("image");
  };
  EXPECT_EQ(packed("$PACK ./program -o image"), 0644u);
  EXPECT_EQ(packed("umask 002; $PACK ./program -o image"), 0664u);
  EXPECT_EQ(packed("umask 077; $PACK ./program -o image"), 0600u);
  EXPECT_EQ(packed("$PACK ./program --file key:/key -o image"), 0644u);
  EXPECT_EQ(packed("chmod 600 key; $PACK ./program --file key:/key -o image"), 0600u);
  EXPECT_EQ(packed("chmod 640 key; $PACK ./program --file key:/key -o image"), 0640u);
  EXPECT_EQ(packed("$PACK ./program --file tree:/t -o image"), 0644u);
  EXPECT_EQ(packed("chmod 700 tree/sub; $PACK ./program --file tree:/t -o image"), 0600u);
  EXPECT_EQ(packed("chmod 755 tree/sub; chmod 600 tree/sub/x; $PACK ./program --file tree:/t -o image"),
            0600u);
  EXPECT_EQ(packed("chmod 700 program; $PACK ./program -o image"), 0600u);
}

TEST_F(ImageMode, ANarrowerOutputStaysNarrow) {
  for (const unsigned narrow : {0600u, 0640u, 0644u}) {
    ASSERT_TRUE(write_text(at("image"), "old"));
    fs::permissions(at("image"), static_cast<fs::perms>(narrow));
    ASSERT_EQ(shell("$PACK ./program -o image").status, 0);
    EXPECT_EQ(mode("image"), narrow);
  }
  ASSERT_EQ(shell("chmod 755 image; $PACK ./program -o image").status, 0);
  EXPECT_EQ(mode("image"), 0644u);
}

TEST_F(ImageMode, OwnerAndGroupOfAnOutputStay) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(shell("touch image; chmod 640 image; chown 1:2 image; $PACK ./program -o image").status, 0);
  EXPECT_EQ(shell("stat -c %u:%g:%a image").text, "1:2:640\n");
  // A group that could not read the packed file cannot read the image.
  ASSERT_EQ(shell("echo x > key; chmod 640 key; $PACK ./program --file key:/key -o image").status, 0);
  EXPECT_EQ(shell("stat -c %u:%g:%a image").text, "1:2:600\n");
}

class OldOptions : public CommandLine {};

// They do what the new ones do, say what these are called, and are not in --help.
TEST_F(OldOptions, OfSystemCallsAreTheNewOnes) {
  ASSERT_TRUE(write_text(at("list"), "openat\nread\n"));
  // One that makes calls which are not on the list.
  compile_sample(at("program"), "#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }", {"-static"});
  const std::pair<const char*, const char*> spellings[] = {
      {"--all-syscalls", "--calls all"},
      {"--only-syscall @list", "--calls @list"},
      {"--only-syscall read --only-syscall 165", "--calls none --call read=default --call 165=default"},
      {"--allow-syscall mount", "--call mount=default"},
      {"--shortcut-tcp", "--call all=shortcut"},
      {"--syscall getpid:full", "--call getpid=full"},
      {"--only-syscall read --shortcut-tcp --syscall write:masked",
       "--calls none --call read=default --call all=shortcut --call write=masked"}};
  for (const auto& [old, now] : spellings) {
    const auto before = shell(fmt::format("$PACK ./program -o old {}", old));
    EXPECT_EQ(before.status, 0) << before.text;
    EXPECT_THAT(before.text, HasSubstr("is old and will go: write --call")) << old;
    const auto after = shell(fmt::format("$PACK ./program -o new {} && cmp old new", now));
    EXPECT_EQ(after.status, 0) << old << "\n" << after.text;
    EXPECT_THAT(after.text, Not(HasSubstr("is old"))) << now;
  }
  EXPECT_THAT(shell("$PACK ./program -o x --only-syscall @list").text, HasSubstr("write --calls @list"));
  EXPECT_EQ(shell("$PACK ./program -o x --only-syscall read --all-syscalls").status, 2);
  for (const char* help : {"$UKL pack --help", "$UKL build --help", "$UKL run --help"})
    EXPECT_THAT(shell(help).text, Not(testing::ContainsRegex("-syscall|shortcut-tcp"))) << help;
  EXPECT_THAT(shell("$PACK ./program -o x; $UKL run x --trace-syscalls t --dry-run").text,
              HasSubstr("--trace-syscalls is old and will go: write --trace-calls"));
}

class Sizes : public CommandLine {};

TEST_F(Sizes, AreLookedAtBeforeReading) {
  ASSERT_EQ(shell("truncate -s 10G huge; truncate -s 1500M a b; $PACK ./program -o image").status, 0);
  for (const char* line :
       {"$PACK ./program --file huge:/x -o out", "$PACK ./program --file huge:/x --compress -o out",
        "$PACK ./program --file a:/a --file b:/b -o out", "$UKL pack ./program --kernel huge -o out",
        "$PACK ./program --call @huge=default -o out", "$PACK ./program --calls @huge -o out",
        "$PACK ./huge -o out", "$UKL inspect huge", "$UKL inspect --syscalls huge", "$UKL run huge --dry-run",
        "$PACK ./program --call @/dev/zero=full -o out", "$UKL pack ./program --kernel /dev/zero -o out",
        "$UKL inspect --syscalls /dev/zero", "$UKL inspect /dev/zero", "$PACK /dev/zero -o out"}) {
    const auto output = shell(fmt::format("ulimit -v 1000000; ulimit -t 5; {}", line));
    EXPECT_GE(output.status, 2) << line << "\n" << output.text;
    EXPECT_LT(output.status, 38) << line << "\n" << output.text;
    EXPECT_THAT(output.text, HasSubstr("hint:")) << line;
    EXPECT_THAT(output.text, Not(HasSubstr("little memory"))) << line;
    EXPECT_THAT(output.text, Not(testing::ContainsRegex("[Uu]nknown error"))) << line;
    EXPECT_FALSE(fs::exists(at("out"))) << line;
  }
}

class Signals : public CommandLine {};

// A compiler that leaves a file in TMPDIR and never ends, with a child of its own as gcc has.
TEST_F(Signals, LeaveNoTemporaryFilesOfABuild) {
  ASSERT_TRUE(write_text(at("cc"),
                         "#!/bin/bash\ntouch \"$TMPDIR/ccleft.s\"\nsleep 60 & echo $! > child\n"
                         "touch started\nwait\n",
                         0755));
  ASSERT_TRUE(write_text(at("m.c"), "int main(void) { return 0; }\n"));
  for (const char* signal : {"HUP", "INT", "TERM"}) {
    const auto output = shell(fmt::format("set -m; rm -f started; UKL_CC=./cc $UKL build $K m.c -o image & "
                                          "until [ -e started ]; do sleep 0.05; done\n"
                                          "kill -{} $!; wait $!; status=$?; for i in $(seq 40); do kill -0 "
                                          "$(cat child) 2>/dev/null || exit $status; "
                                          "sleep 0.05; done; echo the child lives; exit 1",
                                          signal));
    EXPECT_EQ(output.status, 130) << signal << output.text;
    EXPECT_TRUE(fs::is_empty(at("tmp"))) << signal;
    EXPECT_FALSE(fs::exists(at("image")));
  }
}

TEST_F(Signals, HangUpIsIgnoredUnderNohup) {
  ASSERT_TRUE(write_text(at("cc"), "#!/bin/bash\ntouch started\nsleep 0.5\nexec gcc \"$@\"\n", 0755));
  ASSERT_TRUE(write_text(at("m.c"), "int main(void) { return 0; }\n"));
  const auto output =
      shell("UKL_CC=./cc nohup $UKL build $K m.c -o image > log 2>&1 & until [ -e started ]; do sleep "
            "0.05; done; kill -HUP $!; wait $!");
  EXPECT_EQ(output.status, 0) << text("log");
}

} // namespace
} // namespace ukl
