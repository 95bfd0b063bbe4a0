// mount_folder: a mount over a plain folder, as a process of its own that a test may kill.
//
//     mount_folder LOWER FOLDER OVERLAY|- ID READY_FD STATUS|- [flush_ms=N] [threads=N]
//                  [compact=BYTES]
//                  [fail=PATH:OFFSET]
#include "tests/agent/mount/folder_tree.h"

#include "agent/mount/mount.h"

#include <cstdio>
#include <string>

using namespace holdfast;
using namespace holdfast::agent;

namespace {

Result<int> run(int argc, char** argv) {
    FolderTree tree = HF_TRY(FolderTree::open(argv[1]));
    MountSettings settings;
    const auto unless_dash = [](std::string text) { return text == "-" ? std::string() : text; };
    settings.folder = argv[2];
    settings.overlay = unless_dash(argv[3]);
    settings.snapshot_id = argv[4];
    settings.ready_fd = std::stoi(argv[5]);
    settings.status_file = unless_dash(argv[6]);
    settings.allow_other = true;
    for (int i = 7; i < argc; ++i) {
        const std::string option = argv[i];
        const std::size_t equals = option.find('=');
        const std::string key = option.substr(0, equals);
        const std::string value = option.substr(equals + 1);
        if (key == "flush_ms") settings.flush_ms = static_cast<unsigned>(std::stoul(value));
        if (key == "threads") settings.threads = static_cast<unsigned>(std::stoul(value));
        if (key == "compact") settings.compact_bytes = std::stoull(value);
        if (key == "fail") {
            const std::size_t colon = value.find(':');
            tree.fail_at(value.substr(0, colon), std::stoull(value.substr(colon + 1)));
        }
    }
    return serve_mount(tree, settings);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7) {
        std::fprintf(stderr, "usage: see the top of mount_folder.cpp\n");
        return 2;
    }
    const Result<int> status = run(argc, argv);
    if (status) return *status;
    std::fprintf(stderr, "%s\n", status.error().message.c_str());
    return 3;
}
