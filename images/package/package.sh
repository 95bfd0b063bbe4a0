#!/usr/bin/env bash
# package.sh BUILD: the Debian package of a finished build, into BUILD/../package. What is in it is
# what the install rules say; what it depends on is read from the programs. Ends by running the
# program out of the package. The same sources give the same package.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# = 1 ] || { echo "usage: $0 BUILD" >&2; exit 2; }
build=$(cd "$1" && pwd)
if ! command -v dpkg-shlibdeps >/dev/null; then
  echo "dpkg-shlibdeps is missing: apt install dpkg-dev" >&2
  exit 1
fi

version=$(sed -n 's/^CMAKE_PROJECT_VERSION:[^=]*=//p' "$build/CMakeCache.txt")
architecture=$(dpkg --print-architecture)
out=$(dirname "$build")/package
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/debian/holdfast
SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH

stage() {
  if ! DESTDIR=$root cmake --install "$build" --prefix /usr --strip >"$scratch/install.log"; then
    echo "build everything first: cmake --build $build" >&2
    return 1
  fi
  gzip -9n "$root"/usr/share/man/man*/*
  find "$root" -type d -exec chmod 755 {} +
}

# dpkg-shlibdeps wants the folders of a source package.
libraries() {
  printf 'Source: holdfast\n\nPackage: holdfast\nArchitecture: any\n' >"$scratch/debian/control"
  local programs=()
  for file in "$root"/usr/bin/* "$root"/usr/lib/holdfast/*; do
    [ -f "$file" ] && [ "$(head -c 4 "$file" | tr -d '\0')" = $'\x7fELF' ] || continue
    programs+=("-e${file#"$scratch/"}")
  done
  (cd "$scratch" && dpkg-shlibdeps -O "${programs[@]}") | sed -n 's/^shlibs:Depends=//p'
}

control() {
  mkdir "$root/DEBIAN"
  install -m 755 "$here/postinst" "$root/DEBIAN/postinst"
  local kibibytes needed
  kibibytes=$(du -sk --apparent-size "$root/usr" | cut -f1)
  needed=$(libraries)
  sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" \
    -e "s/@KIBIBYTES@/$kibibytes/" -e "s/@LIBRARIES@/$needed/" \
    "$here/control.in" >"$root/DEBIAN/control"
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) \
    >"$root/DEBIAN/md5sums"
}

stage
control
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
package=$out/holdfast_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
dpkg-deb -c "$package"
dpkg-deb -f "$package" Depends
dpkg-deb -x "$package" "$scratch/installed"
"$scratch/installed/usr/bin/holdfast" --version
/usr/bin/python3 -B "$scratch/installed/usr/bin/holdfast-rescue" --help >/dev/null
echo "$package"
