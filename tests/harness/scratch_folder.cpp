#include "tests/harness/scratch_folder.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

namespace holdfast::test {

ScratchFolder::ScratchFolder() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/holdfast-test-XXXXXX";
    HF_ASSERT(mkdtemp(path_.data()) != nullptr);
}

ScratchFolder::~ScratchFolder() {
    run_program({"rm", "-rf", "--one-file-system", "--", path_});
}

void ScratchFolder::folder(std::string_view name) const {
    HF_ASSERT(mkdir((*this / name).c_str(), 0755) == 0);
}

void ScratchFolder::file(std::string_view name, std::string_view content) const {
    auto fd = open_file(*this / name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    HF_ASSERT(fd && write_all(*fd, as_view(content), std::string(name)));
}

void ScratchFolder::random_file(std::string_view name, std::size_t size, std::uint64_t seed) const {
    file(name, random_bytes(size, seed));
}

std::string random_bytes(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::string bytes;
    bytes.reserve(size + 8);
    while (bytes.size() < size) {
        const std::uint64_t word = random();
        bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    bytes.resize(size);
    return bytes;
}

bool run_program(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return false;
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace holdfast::test
