#include "images/demo/epr/hash.h"
#include "images/demo/epr/image.h"
#include "images/demo/epr/letter.h"
#include "images/demo/epr/proof.h"
#include "vault/base/file.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace holdfast::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_bytes_max = 16_MiB;  // The largest of the data set has half of one.
constexpr std::string_view temporary_mark = ".tmp-";

class Folder {
public:
    Folder(const State& state, const std::string& root) : state_(&state), root_(root) {}

    FilesProof prove() {
        list();
        for (std::uint64_t id = 1; id <= state_->letters(); ++id) {
            const Letter of = letter(state_->data, id);
            const std::string content = render(of);
            expect(of.path, as_view(content));
        }
        for (std::uint64_t id = 1; id <= state_->data.images(); ++id) {
            const Image of = image(state_->data, id);
            expect(of.path, image_file(state_->data, id, of));
        }
        for (const std::string& path : found_) judge_unexpected(path);
        proof_.fingerprint = found_hash_.done();
        proof_.fingerprint_expected = expected_hash_.done();
        return std::move(proof_);
    }

private:
    /// Everything below the root that is no folder.
    void list() {
        std::error_code error;
        fs::recursive_directory_iterator it(root_, error);
        for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
            if (it->symlink_status(error).type() == fs::file_type::directory) continue;
            found_.insert(it->path().lexically_relative(root_).string());
        }
        if (error) proof_.differences.lead("cannot list " + root_ + ": " + error.message());
    }

    Result<Buffer> read(const std::string& path) const {
        const std::string full = root_ + "/" + path;
        std::error_code error;
        if (fs::symlink_status(full, error).type() != fs::file_type::regular) {
            return Error{Errc::Invalid, full + " is no regular file"};
        }
        return read_file(full, file_bytes_max);
    }

    void expect(const std::string& path, View content) {
        ++proof_.expected;
        const Digest digest = fingerprint_of(content);
        add_to(expected_hash_, path, digest);
        if (found_.erase(path) == 0) return proof_.differences.add(path + " is missing");
        const auto is = read(path);
        if (!is) return proof_.differences.add(is.error().message);
        const Digest found = fingerprint_of(*is);
        add_to(found_hash_, path, found);
        if (found != digest) return proof_.differences.add(path + how_differs(*is, content));
        ++proof_.right;
        proof_.bytes += content.size();
    }

    static void add_to(Fingerprint& hash, const std::string& path, const Digest& content) {
        hash.add(path);
        hash.add(content.view());
    }

    static std::string how_differs(View is, View should) {
        if (is.size() != should.size()) {
            return " has " + std::to_string(is.size()) + " bytes, expected " +
                   std::to_string(should.size());
        }
        const auto at = std::mismatch(is.begin(), is.end(), should.begin()).first - is.begin();
        return " differs from its byte " + std::to_string(at) + " on";
    }

    /// The folder may have been copied after the database: then it holds letters of later
    /// transactions, and perhaps one that was being written.
    void judge_unexpected(const std::string& path) {
        const std::size_t mark = path.find(temporary_mark);
        const std::string final_path = path.substr(0, mark);
        const auto id = letter_in(final_path);
        if (!id || *id > state_->letters() + letters_ahead_max) return stray(path);
        const Letter of = letter(state_->data, *id);
        if (of.path != final_path || *id <= state_->data.letters()) return stray(path);
        const auto is = read(path);
        if (!is) return proof_.differences.add(is.error().message);
        const std::string content = render(of);
        if (mark != std::string::npos) {
            const bool begins_so = content.starts_with(as_text(*is));
            return begins_so ? void(++proof_.unfinished) : stray(path);
        }
        if (as_text(*is) == content) return void(++proof_.ahead);
        proof_.differences.add(path + how_differs(*is, as_view(content)) +
                               " (a letter of a later transaction)");
    }
    void stray(const std::string& path) { proof_.differences.add(path + " should not be there"); }

    static constexpr std::uint64_t letters_ahead_max = 100'000'000;
    const State* state_;
    std::string root_;
    std::set<std::string> found_;
    FilesProof proof_;
    Fingerprint found_hash_;
    Fingerprint expected_hash_;
};

}  // namespace

FilesProof prove_files(const State& state, const std::string& folder) {
    return Folder(state, folder).prove();
}

}  // namespace holdfast::demo
