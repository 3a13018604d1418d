async function teardown() {
  await globalThis.stopTestServers?.();
}

export default teardown;
