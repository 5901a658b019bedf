package kv4j.cache.index;

import static kv4j.cache.index.Fixture.HERE;
import static kv4j.cache.index.Fixture.join;
import static kv4j.cache.index.Fixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy.Standard;
import kv4j.cache.Lookup;
import kv4j.cache.TreePrinter;
import kv4j.cache.TreeSnapshot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrefixIndexTest {
  private Fixture fixture = new Fixture(100);

  @AfterEach
  void checkIntegrity() {
    fixture.index.checkIntegrity();
  }

  private CacheStats.Storage stats() {
    return fixture.index.stats().storage();
  }

  @Test
  void oneTokenIsAlwaysLeftToCompute() {
    int[] prompt = run(0, 8);
    fixture.request(prompt);
    assertEquals(7, fixture.look(prompt).cachedTokens());
    assertEquals(0, fixture.look(0).cachedTokens());
  }

  @Test
  void aMatchIsExactToTheToken() {
    fixture.request(run(0, 30));
    for (int same = 0; same <= 30; same++) {
      assertEquals(same, fixture.look(join(run(0, same), 99, 98)).cachedTokens());
    }
  }

  @Test
  void wholeBlocksAreSharedAndAdoptedWithoutCopying() {
    var first = fixture.match(run(0, 10));
    List<TestBlock> blocks = TestBlock.compute(first, run(0, 10), 10, Fixture.SIZE);
    fixture.index.commit(first.lease(), run(0, 10), 10, blocks);
    var second = fixture.match(run(0, 12));
    assertEquals(2, second.shared().size());
    assertSame(blocks.get(0), second.shared().get(0));
    assertSame(blocks.get(1), second.shared().get(1));
    assertSame(blocks.get(2), second.partial());
    second.lease().close();
  }

  @Test
  void theSamePrefixIsStoredOnce() {
    fixture.request(run(0, 20));
    assertEquals(5, stats().entries());
    fixture.request(run(0, 20));
    fixture.request(run(0, 18));
    assertEquals(5, stats().entries());
    fixture.request(join(run(0, 16), 7, 7, 7, 7));
    assertEquals(6, stats().entries());
  }

  @Test
  void twoThatComputeTheSameAtOnceEndWithOneCopy() {
    var one = fixture.match(run(0, 12));
    var other = fixture.match(run(0, 12));
    assertEquals(12, fixture.commit(one, run(0, 12)));
    assertEquals(12, fixture.commit(other, run(0, 12)));
    assertEquals(3, stats().bytes());
    assertEquals(3, stats().inserted());
  }

  @Test
  void aSplitLeavesTheTotalSizeUnchanged() {
    fixture.request(run(0, 32));
    long before = stats().bytes();
    for (int at = 31; at > 0; at--) {
      fixture.look(join(run(0, at), 99)); // splits at the block's beginning
      assertEquals(before, stats().bytes());
      fixture.index.checkIntegrity();
    }
    assertEquals(32, fixture.stored(run(0, 32)));
  }

  @Test
  void aForkInsideABlockKeepsBothBranches() {
    int[] left = join(run(0, 6), 50, 51, 52, 53);
    int[] right = join(run(0, 6), 60, 61, 62, 63);
    int[] third = join(run(0, 5), 70, 71, 72, 73);
    fixture.request(left);
    fixture.request(right);
    fixture.request(third);
    assertEquals(7, stats().entries()); // the first block, and two of each branch
    assertEquals(10, fixture.stored(left));
    assertEquals(10, fixture.stored(right));
    assertEquals(9, fixture.stored(third));
    assertEquals(6, fixture.stored(join(run(0, 6), 80)));
  }

  @Test
  void aFullerBlockTakesThePlaceOfAPartOfIt() {
    fixture.request(run(0, 6));
    fixture.request(run(0, 11));
    assertEquals(3, stats().entries());
    assertEquals(1, stats().removed(Removal.SUPERSEDED));
    assertEquals(11, fixture.stored(run(0, 11)));
  }

  @Test
  void repeatedIdenticalRunsAreToldApartByPosition() {
    int[] sameToken = new int[40];
    fixture.request(sameToken);
    assertEquals(10, stats().entries());
    var match = fixture.match(join(new int[24], 1));
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < i; j++) {
        assertTrue(match.shared().get(i) != match.shared().get(j), "one block at two positions");
      }
    }
    match.lease().close();
    assertEquals(17, fixture.stored(join(new int[17], 1)));
  }

  @Test
  void leastRecentlyUsedLeavesGoFirstDeepestFirst() {
    fixture = new Fixture(6);
    int[] a = run(100, 8);
    int[] b = run(200, 8);
    int[] c = run(300, 8);
    fixture.request(a);
    fixture.request(b);
    fixture.request(c); // 6 of 6 blocks
    fixture.look(join(a, 1)); // now b is the oldest
    fixture.request(run(400, 4)); // takes one block
    assertEquals(Map.of(Removal.SIZE, 1L), stats().removed());
    fixture.events.removeIf(event -> !(event instanceof CacheEvent.Removed));
    assertEquals(
        "Removed[namespace=tenant, start=4, tokens=4, entries=1, bytes=1, cause=SIZE]",
        Fixture.toString(fixture.events));
    assertEquals(4, fixture.stored(b)); // its head outlives its tail; this was a use
    fixture.request(run(500, 12)); // takes three: c, then a's tail
    assertEquals(0, fixture.stored(c));
    assertEquals(4, fixture.stored(a));
    assertEquals(4, fixture.stored(b));
    assertEquals(4, fixture.stored(run(400, 4)));
    assertEquals(12, fixture.stored(run(500, 12)));
  }

  @Test
  void aSharedHeadOutlivesItsTails() {
    fixture = new Fixture(6);
    int[] head = run(0, 8);
    fixture.request(join(head, run(100, 8)));
    fixture.request(join(head, run(200, 8))); // 6 blocks
    fixture.request(run(300, 16)); // takes the four of the tails, the older first
    assertEquals(8, fixture.stored(join(head, run(100, 8))));
    assertEquals(8, fixture.stored(join(head, run(200, 8))));
  }

  @Test
  void leastFrequentlyUsedGoFirst() {
    fixture = new Fixture(3, Standard.LFU, 0, true);
    fixture.request(run(100, 4));
    fixture.request(run(200, 4));
    fixture.request(run(300, 4));
    fixture.look(join(run(100, 4), 1));
    fixture.look(join(run(100, 4), 1));
    fixture.look(join(run(300, 4), 1));
    fixture.request(run(400, 4)); // in place of 200, which was never found
    fixture.request(run(500, 4)); // in place of 400, likewise
    assertEquals(4, fixture.stored(run(100, 4)));
    assertEquals(4, fixture.stored(run(300, 4)));
    assertEquals(4, fixture.stored(run(500, 4)));
  }

  @Test
  void firstInGoFirst() {
    fixture = new Fixture(3, Standard.FIFO, 0, true);
    fixture.request(run(100, 4));
    fixture.request(run(200, 4));
    fixture.request(run(300, 4));
    fixture.look(join(run(100, 4), 1));
    fixture.request(run(400, 4));
    assertEquals(0, fixture.stored(run(100, 4)));
    assertEquals(4, fixture.stored(run(200, 4)));
  }

  @Test
  void noRoomLeavesEarlierHitsUntouched() {
    fixture = new Fixture(4);
    fixture.request(run(0, 16));
    var running = fixture.match(join(run(0, 16), 1)); // pins all there is
    assertEquals(0, fixture.request(run(100, 9)));
    assertEquals(16, fixture.stored(run(0, 16)));
    assertEquals(Map.of(), stats().removed());
    assertEquals(16, fixture.commit(running, join(run(0, 16), 1))); // and no room for one more
  }

  @Test
  void aRequestLargerThanTheBudgetKeepsWhatFits() {
    fixture = new Fixture(3);
    fixture.request(run(100, 8));
    assertEquals(12, fixture.request(run(0, 40)));
    assertEquals(12, fixture.stored(run(0, 40)));
    assertEquals(3, stats().bytes());
    assertEquals(3, stats().peakBytes());
    assertEquals(12, fixture.request(run(0, 40))); // again: nothing is gained or lost
  }

  @Test
  void whatARequestLargerThanTheBudgetFoundStaysAsItWas() {
    fixture = new Fixture(4);
    fixture.request(run(0, 8));
    List<TestBlock> found = fixture.match(run(0, 9)).shared(); // and another goes on from it
    int[] larger = join(run(0, 8), run(100, 32));
    assertEquals(16, fixture.request(larger));
    assertEquals(Map.of(), stats().removed());
    var again = fixture.match(larger);
    assertEquals(found, again.shared().subList(0, 2));
    again.lease().close();
    again.lease().close(); // gives back nothing of the other's
    assertEquals(2, stats().pinnedBytes());
  }

  @Test
  void pinnedBlocksAreNeverEvicted() {
    fixture = new Fixture(4);
    fixture.request(run(0, 8));
    assertEquals(8, fixture.index.pin("system", HERE, run(0, 10)));
    assertThrows(
        IllegalArgumentException.class, () -> fixture.index.pin("system", HERE, run(0, 10)));
    assertEquals(0, fixture.index.pin("unknown", HERE, run(50, 10)));
    assertEquals(Map.of("system", 8), fixture.index.pinned());
    assertEquals(2, stats().pinnedBytes());
    for (int i = 1; i < 10; i++) {
      fixture.request(run(100 * i, 12));
    }
    assertEquals(8, fixture.stored(run(0, 8)));
    assertTrue(fixture.index.unpin("system"));
    assertFalse(fixture.index.unpin("system"));
    assertEquals(0, stats().pinnedBytes());
    fixture.request(run(1000, 16));
    assertEquals(0, fixture.stored(run(0, 8)));
  }

  @Test
  void anAbortedRequestLeavesWhatItComputed() {
    var match = fixture.match(run(0, 20));
    List<TestBlock> blocks = TestBlock.compute(match, run(0, 20), 9, Fixture.SIZE);
    assertEquals(9, fixture.index.commit(match.lease(), run(0, 20), 9, blocks));
    assertEquals(9, fixture.stored(run(0, 20)));
    fixture.match(run(50, 20)).lease().close(); // and one that computed nothing leaves nothing
    assertEquals(0, fixture.stored(run(50, 20)));
  }

  @Test
  void clearIsRefusedWhileLeasesAreOpen() throws InterruptedException {
    fixture.request(run(0, 8));
    fixture.index.pin("name", HERE, run(0, 8));
    var open = fixture.match(run(0, 8));
    assertFalse(fixture.index.clear(Duration.ZERO));
    assertEquals(2, stats().entries());
    Thread closer = new Thread(open.lease()::close);
    closer.start();
    assertTrue(fixture.index.clear(ChronoUnit.FOREVER.getDuration()));
    closer.join();
    assertEquals(0, stats().entries());
    assertEquals(0, stats().bytes());
    assertEquals(2, stats().removed(Removal.EXPLICIT));
    assertEquals(Map.of(), fixture.index.pinned());
  }

  @Test
  void whatIsOpenWhenTheIndexClosesGivesBackNothing() {
    fixture.request(run(0, 8));
    var open = fixture.match(run(0, 12));
    fixture.index.close();
    assertEquals(0, fixture.commit(open, run(0, 12)));
    open.lease().close();
    assertEquals(0, stats().entries());
    assertThrows(IllegalStateException.class, () -> fixture.match(1, 2));
  }

  @Test
  void aListenerHearsOfEveryInsertionAndRemoval() {
    fixture = new Fixture(4);
    for (int i = 0; i < 50; i++) {
      fixture.request(join(run(0, i % 5), run(100 * i, 1 + i % 17)));
    }
    long entries = 0;
    for (CacheEvent event : fixture.events) {
      assertEquals("tenant", event.namespace());
      if (event instanceof CacheEvent.Inserted inserted) {
        entries += inserted.entries();
      } else if (event instanceof CacheEvent.Removed removed) {
        entries -= removed.entries();
      }
    }
    assertEquals(stats().entries(), entries);
    assertTrue(stats().removed(Removal.SIZE) > 20);
  }

  @Test
  void aRunningSequenceSharesWholeBlocksAndHoldsThem() {
    fixture = new Fixture(4);
    var running = fixture.match(run(0, 30));
    List<TestBlock> blocks = TestBlock.compute(running, run(0, 30), 10, Fixture.SIZE);
    assertEquals(
        blocks.subList(0, 2), fixture.index.commitPrefix(running.lease(), run(0, 30), 10, blocks));
    assertEquals(8, fixture.stored(run(0, 30)));
    assertEquals(2, stats().pinnedBytes());
    fixture.request(run(100, 16)); // may take all but what is held
    assertEquals(8, fixture.stored(run(0, 30)));
    running.lease().close();
    assertEquals(0, stats().pinnedBytes());
    fixture.request(run(200, 16));
    assertEquals(0, fixture.stored(run(0, 30)));
    assertThrows(
        IllegalStateException.class,
        () -> fixture.index.commitPrefix(running.lease(), run(0, 30), 10, blocks));
  }

  @Test
  void ofTwoThatShareTheSameWhileTheyRunTheSecondGoesOnOnTheBlocksOfTheFirst() {
    var one = fixture.match(run(0, 12));
    var other = fixture.match(run(0, 12));
    List<TestBlock> first = TestBlock.compute(one, run(0, 12), 8, Fixture.SIZE);
    List<TestBlock> second = TestBlock.compute(other, run(0, 12), 9, Fixture.SIZE);
    fixture.index.commitPrefix(one.lease(), run(0, 12), 8, first);
    assertEquals(first, fixture.index.commitPrefix(other.lease(), run(0, 12), 9, second));
    assertEquals(2, stats().entries());
    one.lease().close();
    assertEquals(2, stats().pinnedBytes());
    other.lease().close();
  }

  @Test
  void explainingAMissNeitherCountsNorKeepsOthersFromTheirWork() {
    for (int tenant = 0; tenant < 3; tenant++) {
      fixture.request(new Keyspace("tenant " + tenant, "model", ""), run(0, 8));
    }
    var before = fixture.index.snapshot();
    assertEquals(Lookup.Reason.OTHER_NAMESPACE, fixture.look(HERE, run(0, 8)).reason());
    var after = fixture.index.snapshot();
    assertEquals(
        before.runs().stream().mapToLong(TreeSnapshot.Run::hits).sum(),
        after.runs().stream().mapToLong(TreeSnapshot.Run::hits).sum());
    assertEquals(6, after.storage().entries());
  }

  @Test
  void emptySpacesLeaveNothingBehind() {
    for (int i = 0; i < 100; i++) {
      fixture.look(new Keyspace("tenant " + i, "", ""), run(0, 8));
    }
    assertFalse(fixture.index.snapshot().toString().contains("tenant"));
  }

  @Test
  void theTreeIsPrintedAsText() {
    fixture.request(join(run(0, 8), 20, 21));
    fixture.request(join(run(0, 8), 30, 31));
    fixture.index.pin("head", HERE, run(0, 8));
    fixture.clock = 3_000_000_000L;
    assertEquals(
        """
        4 blocks, 4 of 100 bytes, 2 pinned
        tenant
          0 1 2 3 4 5 6 7  8 tokens, 2 bytes, 1 hits, 3 s old, 1 pin
            20 21  2 tokens, 1 bytes, 0 hits, 3 s old
            30 31  2 tokens, 1 bytes, 0 hits, 3 s old
        """,
        TreePrinter.print(fixture.index.snapshot(), TreePrinter::ids));
    String text =
        TreePrinter.print(fixture.index.snapshot(), ids -> "x".repeat(100 * ids.length) + "\n");
    assertTrue(text.lines().allMatch(line -> line.length() < 140), text);
  }
}
