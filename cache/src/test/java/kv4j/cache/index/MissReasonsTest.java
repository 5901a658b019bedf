package kv4j.cache.index;

import static kv4j.cache.index.Fixture.HERE;
import static kv4j.cache.index.Fixture.join;
import static kv4j.cache.index.Fixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import kv4j.cache.EvictionPolicy.Standard;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MissReasonsTest {
  private Fixture fixture = new Fixture(4, Standard.LRU, 10, true);

  @AfterEach
  void checkIntegrity() {
    fixture.index.checkIntegrity();
  }

  private void check(Reason reason, int cached, Keyspace space, int... prompt) {
    Lookup lookup = fixture.look(space, prompt);
    assertEquals(reason, lookup.reason(), lookup.toString());
    assertEquals(cached, lookup.cachedTokens());
    assertEquals(prompt.length, lookup.promptTokens());
  }

  private void check(Reason reason, int cached, int... prompt) {
    check(reason, cached, HERE, prompt);
  }

  @Test
  void coldAndFullAndNewText() {
    check(Reason.COLD, 0, run(0, 8));
    fixture.request(run(0, 8));
    check(Reason.FULL, 7, run(0, 8));
    check(Reason.END_OF_STORED, 8, run(0, 12));
    check(Reason.COLD, 0, run(50, 8));
  }

  @Test
  void divergenceNamesTheTokenAndBothIds() {
    fixture.request(run(0, 8));
    Lookup inside = fixture.look(join(run(0, 6), 99, 98));
    assertEquals(diverged("at token 6: 99 here, 6 stored"), inside);
    fixture.request(join(run(0, 6), 99, 98));
    Lookup atAFork = fixture.look(join(run(0, 6), 77, 76));
    assertEquals(diverged("at token 6: 77 here, 6 stored"), atAFork);
    fixture.request(run(200, 40));
    assertEquals(
        IntStream.range(204, 212).boxed().toList(), fixture.look(join(run(200, 4), 9, 8)).stored());
  }

  private static Lookup diverged(String detail) {
    return new Lookup(8, 6, Reason.DIVERGED, detail, List.of(6, 7));
  }

  @Test
  void evictedIsToldFromNeverStored() {
    fixture.request(run(0, 16));
    fixture.request(run(100, 8));
    check(Reason.EVICTED, 8, run(0, 16));
    check(Reason.EVICTED, 8, run(0, 30));
    check(Reason.END_OF_STORED, 8, join(run(0, 8), run(70, 8)));
    fixture.request(run(200, 16));
    check(Reason.EVICTED, 0, run(0, 16));
    check(Reason.COLD, 0, run(1, 16));
    check(Reason.COLD, 0, new Keyspace("else", "model", ""), run(0, 16));
  }

  @Test
  void expiredIsToldFromEvicted() {
    fixture.request(run(0, 16));
    fixture.clock = 10;
    check(Reason.EXPIRED, 0, run(0, 16));
    check(Reason.EXPIRED, 0, run(0, 20)); // and is remembered when it is gone
    fixture.request(run(0, 16));
    check(Reason.FULL, 15, run(0, 16));
  }

  @Test
  void whatIsGoneIsKnownByAnyOfItsTokens() {
    fixture.request(run(0, 7)); // a prompt of six tokens, and one that it generated
    fixture.look(join(run(0, 4), 99));
    fixture.request(run(100, 12)); // takes the last block
    check(Reason.EVICTED, 4, run(0, 6));
    check(Reason.EVICTED, 4, join(run(0, 5), 99));
    fixture.clock = 10;
    check(Reason.EXPIRED, 0, run(0, 3));
    check(Reason.EXPIRED, 0, join(run(0, 2), 99));
    check(Reason.COLD, 0, run(1, 6));
  }

  @Test
  void noRoomIsToldFromEvicted() {
    fixture.request(run(0, 12));
    var running = fixture.match(run(0, 13));
    fixture.request(run(100, 8));
    check(Reason.NO_ROOM, 4, run(100, 8));
    running.lease().close();
  }

  @Test
  void nothingIsSharedAcrossNamespacesModelsOrSalts() {
    fixture.request(run(0, 8));
    Keyspace otherTenant = new Keyspace("other tenant", "model", "");
    Keyspace otherModel = new Keyspace("tenant", "other model", "");
    Keyspace salted = new Keyspace("tenant", "model", "salt");
    check(Reason.FULL, 7, HERE, run(0, 8)); // where it was stored it is found
    check(Reason.OTHER_NAMESPACE, 0, otherTenant, run(0, 8));
    check(Reason.OTHER_NAMESPACE, 0, otherModel, run(0, 8));
    check(Reason.COLD, 0, salted, run(0, 8)); // learns nothing of others
    check(Reason.COLD, 0, otherTenant, join(run(0, 3), run(70, 8))); // less than a block: chance

    fixture.request(salted, run(300, 8));
    check(Reason.FULL, 7, salted, run(300, 8));
    check(Reason.COLD, 0, HERE, run(300, 8)); // nor do others learn of it

    fixture.request(otherTenant, run(0, 8));
    assertEquals(
        4, fixture.index.stats().storage().entries()); // each keeps its own, within one budget
    check(Reason.FULL, 7, otherTenant, run(0, 8));
    check(Reason.EVICTED, 0, HERE, run(0, 8));
  }

  @Test
  void aNameThatHashesLikeAnotherLearnsNothingOfIt() {
    Keyspace one = new Keyspace("Aa", "model", "");
    Keyspace other = new Keyspace("BB", "model", "");
    assertEquals(one.hashCode(), other.hashCode());
    fixture.request(one, run(0, 8));
    fixture.request(one, run(100, 16)); // takes all there is
    check(Reason.COLD, 0, other, run(0, 8));
    check(Reason.EVICTED, 0, one, run(0, 8));
  }
}
