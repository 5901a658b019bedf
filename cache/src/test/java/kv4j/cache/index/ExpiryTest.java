package kv4j.cache.index;

import static kv4j.cache.index.Fixture.HERE;
import static kv4j.cache.index.Fixture.join;
import static kv4j.cache.index.Fixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy.Standard;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Time to live, under a clock that the test moves. */
class ExpiryTest {
  private Fixture fixture = new Fixture(100, Standard.LRU, 10, true);

  @AfterEach
  void checkIntegrity() {
    fixture.index.checkIntegrity();
  }

  @Test
  void anEntryIsFoundUntilItsTimeIsOver() {
    fixture.request(run(0, 8));
    fixture.clock = 9;
    assertEquals(8, fixture.stored(run(0, 8))); // and this refreshes it
    fixture.clock = 18;
    assertEquals(8, fixture.stored(run(0, 8)));
    fixture.clock = 28;
    assertEquals(0, fixture.stored(run(0, 8)));
    assertEquals(Map.of(Removal.EXPIRED, 2L), fixture.index.stats().storage().removed());
  }

  @Test
  void hitsNeedNotRefresh() {
    fixture = new Fixture(100, Standard.LRU, 10, false);
    fixture.request(run(0, 8));
    fixture.clock = 9;
    fixture.request(run(0, 12)); // its last block is younger, but builds on the others
    assertEquals(12, fixture.stored(run(0, 12)));
    fixture.clock = 10;
    assertEquals(0, fixture.stored(run(0, 12)));
    assertEquals(0, fixture.index.stats().storage().entries());
  }

  @Test
  void onlyWhatWasUsedIsRefreshed() {
    fixture.request(run(0, 16));
    fixture.clock = 6;
    fixture.look(join(run(0, 8), 99));
    fixture.clock = 12;
    assertEquals(8, fixture.stored(run(0, 16)));
  }

  @Test
  void whatIsPinnedDoesNotExpireMeanwhile() {
    fixture.request(run(0, 8));
    fixture.index.pin("system", HERE, run(0, 8));
    var running = fixture.match(join(run(0, 8), 1, 2));
    fixture.clock = 50;
    assertEquals(10, fixture.commit(running, join(run(0, 8), 1, 2)));
    fixture.clock = 100;
    assertEquals(8, fixture.stored(join(run(0, 8), 1, 2)));
    fixture.clock = 150;
    fixture.index.unpin("system");
    assertEquals(0, fixture.stored(run(0, 8)));
  }

  @Test
  void aFewOfTheExpiredAreRemovedByEachOperation() {
    for (int i = 0; i < 60; i++) {
      fixture.request(1000 + i, 1, 2);
    }
    fixture.clock = 10;
    fixture.look(5, 5); // two operations, and asking for the stats is a third
    assertEquals(60 - 3 * 16, fixture.index.stats().storage().entries());
    fixture.index.removeExpired();
    assertEquals(0, fixture.index.stats().storage().entries());
  }

  @Test
  void whatIsExpiredMakesRoomFirst() {
    fixture = new Fixture(40, Standard.LFU, 10, true);
    for (int i = 0; i < 38; i++) {
      fixture.request(1000 + i, 1, 2);
      fixture.look(1000 + i, 1, 2, 3);
    }
    fixture.clock = 9;
    fixture.request(run(0, 8)); // the least frequently used, but alive
    fixture.clock = 10;
    fixture.request(run(100, 4 * 36));
    assertEquals(8, fixture.stored(run(0, 8)));
    assertEquals(0, fixture.index.stats().storage().removed(Removal.SIZE));
  }

  @Test
  void aBlockThatBranchesOwnIsNotHandedOutOnceAllOfThemAreExpired() {
    for (int i = 0; i < 30; i++) {
      fixture.request(1000 + i, 1, 2); // more than an operation sweeps
    }
    fixture.request(join(run(0, 6), 50, 51));
    fixture.request(join(run(0, 6), 60, 61)); // from here on these two own tokens 4 and 5
    fixture.clock = 6;
    fixture.look(join(run(0, 4), 99)); // refreshes the first block alone
    fixture.clock = 10;
    assertEquals(4, fixture.stored(run(0, 6)));
  }

  @Test
  void manyExpiredBranchesAreOneLookupsWork() {
    int branches = 20_000;
    fixture = new Fixture(2 * branches, Standard.LRU, 10, true);
    for (int i = 0; i < branches; i++) {
      fixture.request(join(run(0, 6), 1000 + i));
    }
    fixture.clock = 6;
    fixture.look(join(run(0, 4), 99));
    fixture.clock = 10;
    assertEquals(4, fixture.stored(run(0, 6)));
    assertEquals(1, fixture.index.stats().storage().entries());
  }

  @Test
  void theListenerHearsOfWhatExpiredEvenIfTheOperationIsRefused() {
    fixture.request(run(0, 8));
    fixture.index.pin("system", HERE, run(0, 4));
    fixture.events.clear();
    fixture.clock = 10;
    assertThrows(
        IllegalArgumentException.class, () -> fixture.index.pin("system", HERE, run(0, 8)));
    assertEquals(
        "Removed[namespace=tenant, start=4, tokens=4, entries=1, bytes=1, cause=EXPIRED]",
        Fixture.toString(fixture.events));
  }
}
