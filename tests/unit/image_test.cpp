// SPDX-License-Identifier: GPL-2.0-only
#include "image/write.hpp"
#include "sample_files.hpp"
#include "small_file_system.hpp"

#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

const Manifest kManifest = {{"format", kImageFormat}, {"arg", "/bin/true"}, {"env", "A=1"}};

class ImageTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    make_sample_kernel(at("vmlinux"));
    auto kernel = read_kernel_elf(at("vmlinux"), kKernelSymbols);
    ASSERT_TRUE(kernel) << kernel.error().message;
    kernel_ = *kernel;
  }

  Bytes written(const std::string& name, const Manifest& manifest = kManifest) {
    auto made = write_image(at(name), kernel_, manifest, {}, payload_);
    EXPECT_TRUE(made) << made.error().message;
    return *read_file(at(name));
  }

  // Eight bytes of an image at one of the kernel's virtual addresses.
  static std::uint64_t number_at(const Bytes& image, std::uint64_t address) {
    std::uint64_t value = 0;
    for (const auto& header : headers(image))
      if (header.p_type == PT_LOAD && address >= header.p_vaddr && address - header.p_vaddr < header.p_filesz)
        std::memcpy(&value, &image[header.p_offset + address - header.p_vaddr], sizeof value);
    return value;
  }

  static std::vector<Elf64_Phdr> headers(const Bytes& image) {
    Elf64_Ehdr header;
    std::memcpy(&header, image.data(), sizeof header);
    std::vector<Elf64_Phdr> all(header.e_phnum);
    std::memcpy(all.data(), &image[header.e_phoff], all.size() * sizeof(Elf64_Phdr));
    return all;
  }

  // An image with the manifest's text changed in place.
  Result<ImageInfo> parse_with(Bytes image, const std::string& from, const std::string& to) {
    const auto found = std::search(image.begin(), image.end(), from.begin(), from.end());
    EXPECT_NE(found, image.end());
    std::copy(to.begin(), to.end(), found);
    return parse_image(image, image.size(), "image");
  }

  KernelElf kernel_;
  Bytes payload_ = Bytes(10000, 'p');
};

TEST_F(ImageTest, ReadsBackWhatWasWritten) {
  written("image");
  auto info = read_image(at("image"));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->manifest, kManifest);
  EXPECT_EQ(info->payload_size, payload_.size());
  EXPECT_EQ(info->file_size, fs::file_size(at("image")));
  EXPECT_EQ(info->memory_end, info->payload_address + payload_.size());
  auto file = read_file(at("image"));
  EXPECT_TRUE(std::equal(payload_.begin(), payload_.end(), file->end() - 10000));
}

TEST_F(ImageTest, TheKernelLearnsWhereThePayloadIs) {
  const auto image = written("image");
  const auto payload = headers(image).back();
  EXPECT_EQ(payload.p_paddr % (2 << 20), 0u);
  EXPECT_GE(payload.p_paddr, kernel_.memory_end);
  EXPECT_EQ(payload.p_vaddr, payload.p_paddr + 0xffffffff80000000);
  EXPECT_EQ(number_at(image, kernel_.symbols.at("phys_initrd_start")), payload.p_paddr);
  EXPECT_EQ(number_at(image, kernel_.symbols.at("phys_initrd_size")), payload_.size());
}

TEST_F(ImageTest, KeepsTheKernelsSegmentsAndNotesButNoSymbols) {
  const auto image = written("image");
  const auto all = headers(image);
  ASSERT_EQ(all.size(), 1 + kernel_.notes.size() + kernel_.segments.size() + 1);
  EXPECT_EQ(all[0].p_type, static_cast<Elf64_Word>(PT_NOTE));
  EXPECT_EQ(all[0].p_align, 8u);
  EXPECT_TRUE(std::equal(kernel_.notes[0].begin(), kernel_.notes[0].end(), &image[all[1].p_offset]));
  for (std::size_t i = 0; i < kernel_.segments.size(); ++i) {
    const auto& header = all[1 + kernel_.notes.size() + i];
    EXPECT_EQ(header.p_vaddr, kernel_.segments[i].virtual_address);
    EXPECT_EQ(header.p_memsz, kernel_.segments[i].memory_size);
    EXPECT_EQ(header.p_offset % 4096, header.p_vaddr % 4096);
  }
  EXPECT_EQ(std::search(image.begin(), image.end(), kCallTable, kCallTable + std::strlen(kCallTable)),
            image.end());
}

TEST_F(ImageTest, SystemCallsGoIntoTheKernelsTable) {
  CallTable calls = {};
  calls[0] = CallKind::full;
  calls[1] = CallKind::direct;
  calls[2] = CallKind::masked;
  ASSERT_TRUE(write_image(at("image"), kernel_, kManifest, calls, payload_));
  const auto image = *read_file(at("image"));
  EXPECT_EQ(number_at(image, kernel_.symbols.at(kCallTable)) & 0xffffffff, 0x00030201u);
  make_sample_kernel(at("ring3"), false);
  auto ring3 = read_kernel_elf(at("ring3"), kKernelSymbols);
  ASSERT_TRUE(ring3);
  expect_error(write_image(at("bad"), *ring3, kManifest, calls, payload_), Failure::missing_symbol,
               "table of system calls");
}

TEST_F(ImageTest, SameInputsSameBytes) {
  EXPECT_EQ(written("one"), written("two"));
}

TEST_F(ImageTest, KernelWithoutInitramfsOrDamaged) {
  auto kernel = kernel_;
  kernel.symbols.erase("phys_initrd_size");
  expect_error(write_image(at("image"), kernel, kManifest, {}, payload_), Failure::missing_symbol,
               "phys_initrd_size");
  auto bytes = *read_file(at("vmlinux"));
  bytes.resize(5000);
  ASSERT_TRUE(write_text(at("vmlinux"), std::string(bytes.begin(), bytes.end())));
  expect_error(read_kernel_elf(at("vmlinux"), kKernelSymbols), Failure::not_elf, "vmlinux");
}

TEST_F(ImageTest, TooLargeManifest) {
  const Manifest manifest = {{"format", kImageFormat}, {"env", std::string(kImageHead, 'x')}};
  expect_error(write_image(at("image"), kernel_, manifest, {}, payload_), Failure::usage,
               "arguments and environment");
}

TEST_F(ImageTest, OutputNotWritable) {
  expect_error(write_image(at("no/folder/image"), kernel_, kManifest, {}, payload_), Failure::unwritable,
               "no/folder");
  expect_error(write_image(at(""), kernel_, kManifest, {}, payload_), Failure::unwritable, at("").string());
  expect_error(write_image("/dev/null", kernel_, kManifest, {}, payload_), Failure::unwritable, "/dev/null");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

constexpr int kCannotMount = 90;

// Exit status: the failure's number if nothing but the file that was there before is left, else 90 and more.
int write_until_full(const fs::path& folder, const KernelElf& kernel) {
  if (const auto problem = test::mount_small(folder); !problem.empty()) {
    std::perror(problem.c_str());
    return kCannotMount;
  }
  if (!write_text(folder / "image", "old"))
    return 91;
  auto made = write_image(folder / "image", kernel, kManifest, {}, Bytes(4 << 20, 'p'));
  if (made)
    return 92;
  if (std::distance(fs::directory_iterator(folder), {}) != 1 || *read_text(folder / "image") != "old")
    return 93;
  if (made.error().hint.empty() || made.error().message.find("image") == std::string::npos)
    return 94;
  return static_cast<int>(made.error().failure);
}

TEST_F(ImageTest, DiskFullHalfWayLeavesNothing) {
  fs::create_directories(at("small"));
  // In a process of its own: a mount name space is for good.
  const pid_t pid = fork();
  if (pid == 0)
    _exit(write_until_full(at("small"), kernel_));
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  if (WEXITSTATUS(status) == kCannotMount)
    GTEST_SKIP() << "this user may not mount a small file system (see above)";
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(Failure::disk_full));
}

TEST_F(ImageTest, NotAnImage) {
  ASSERT_TRUE(write_text(at("text"), "no image"));
  expect_error(read_image(at("text")), Failure::not_an_image, "text");
  expect_error(read_image(at("vmlinux")), Failure::not_an_image, "no note of ukl");
  expect_error(read_image("/bin/true"), Failure::not_an_image, "another kind of ELF");
  expect_error(read_image(at("nothing")), Failure::not_found, "nothing");
  expect_error(read_image(at("")), Failure::unreadable, "directory");
}

TEST_F(ImageTest, TruncatedOrLengthened) {
  auto image = written("image");
  image.push_back(0);
  expect_error(parse_image(image, image.size(), "image"), Failure::not_an_image, "follows its payload");
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{64}, std::size_t{200},
                                 std::size_t{600}, image.size() / 2, image.size() - 2}) {
    const Bytes cut(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size));
    auto info = parse_image(cut, cut.size(), "image");
    ASSERT_FALSE(info) << size;
    EXPECT_EQ(info.error().failure, Failure::not_an_image) << size;
  }
}

TEST_F(ImageTest, AnotherVersion) {
  const auto image = written("image");
  auto info = parse_with(image, std::string("format=") + kImageFormat, "format=9");
  expect_error(info, Failure::other_version, "image format 9");
  expect_error(parse_with(image, "format=", "farmot="), Failure::not_an_image, "no format");
}

} // namespace
} // namespace ukl
