package kv4j.cache.infinispan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.infinispan.distribution.ch.impl.DefaultConsistentHash;
import org.infinispan.remoting.transport.Address;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastingSharesTest {
  private static final int SEGMENTS = 128;

  @TempDir Path folder;

  private static Address address(String name) {
    return Address.random("node", null, null, name);
  }

  private static DefaultConsistentHash shares(int owners, List<Address> members) {
    return LastingShares.INSTANCE.create(owners, SEGMENTS, members, null);
  }

  /** Names of the owners of each segment. */
  private static List<List<String>> owners(DefaultConsistentHash shares) {
    return IntStream.range(0, SEGMENTS)
        .mapToObj(
            segment ->
                shares.locateOwnersForSegment(segment).stream().map(Address::getMachineId).toList())
        .toList();
  }

  @Test
  void sharesFollowNamesWhateverTheAddressesAndTheirOrder() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      List<String> names = new ArrayList<>();
      for (int i = 0; i <= random.nextInt(10); i++) {
        names.add(new UUID(random.nextLong(), random.nextLong()).toString());
      }
      int count = 1 + random.nextInt(3);
      List<Address> before = names.stream().map(LastingSharesTest::address).toList();
      Collections.shuffle(names, random);
      List<Address> after = names.stream().map(LastingSharesTest::address).toList();
      DefaultConsistentHash shares = shares(count, before);
      assertEquals(owners(shares), owners(shares(count, after)), "seed " + seed);
      for (int segment = 0; segment < SEGMENTS; segment++) {
        assertEquals(
            Math.min(count, names.size()),
            shares.locateOwnersForSegment(segment).stream().distinct().count(),
            "owners, seed " + seed);
      }
      for (Address member : before) {
        int own = shares.getSegmentsForOwner(member).size();
        double even = (double) SEGMENTS * Math.min(count, names.size()) / names.size();
        assertTrue(own > even / 2 && own < even * 2, own + " of some " + even + ", seed " + seed);
      }
    }
  }

  @Test
  void onlyTheSharesOfThoseWhoGoAreGivenToOthers() {
    List<Address> members =
        IntStream.range(0, 8).mapToObj(i -> address(new UUID(i, ~i).toString())).toList();
    List<List<String>> before = owners(shares(1, members));
    List<List<String>> after = owners(shares(1, members.subList(0, 7)));
    String gone = members.get(7).getMachineId();
    long moved =
        IntStream.range(0, SEGMENTS)
            .filter(i -> !before.get(i).get(0).equals(gone))
            .filter(i -> !before.get(i).equals(after.get(i)))
            .count();
    assertTrue(moved < SEGMENTS / 8, moved + " segments moved from one that stays to another");
  }

  @Test
  void whoHasNoNameOrAnothersIsKnownByTheAddress() {
    String name = UUID.randomUUID().toString();
    List<Address> members = List.of(address(name), address(name), Address.random("node"));
    DefaultConsistentHash shares = shares(1, members);
    members.forEach(member -> assertTrue(shares.getSegmentsForOwner(member).size() > 0));
  }

  @Test
  void aFolderKeepsItsNameAndItsCopyHasAnother() throws Exception {
    Path one = Files.createDirectory(folder.resolve("one"));
    Path two = Files.createDirectory(folder.resolve("two"));
    UUID name = FolderName.of(one);
    assertEquals(name, FolderName.of(one));
    for (Path file : Files.list(one).toList()) {
      Files.copy(file, two.resolve(file.getFileName()));
    }
    assertNotEquals(name, FolderName.of(two));
  }
}
