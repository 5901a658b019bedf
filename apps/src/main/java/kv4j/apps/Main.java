package kv4j.apps;

/** tmp. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.out.println(
        org.nd4j.linalg.factory.Nd4j.ones(2, 2).mmul(org.nd4j.linalg.factory.Nd4j.ones(2, 2)));
    System.out.println(org.nd4j.linalg.factory.Nd4j.getExecutioner().getEnvironmentInformation());
  }
}
