#include "vault/snapshot/type_bits.h"

#include <sys/stat.h>

namespace holdfast::vault {

std::uint32_t type_bits(FileType type) {
    switch (type) {
        case FileType::Regular:
            return S_IFREG;
        case FileType::Directory:
            return S_IFDIR;
        case FileType::Symlink:
            return S_IFLNK;
        case FileType::Fifo:
            return S_IFIFO;
        case FileType::Socket:
            return S_IFSOCK;
        case FileType::CharDevice:
            return S_IFCHR;
        case FileType::BlockDevice:
            return S_IFBLK;
    }
    return S_IFREG;
}

}  // namespace holdfast::vault
