/** Calls that change something: tried on the node first, then signed by the wallet, then awaited. */
import {
  encodeFunctionData,
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type Hex,
  type PublicClient,
} from "viem";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";
import { requireChain, type Account } from "./wallets";

type Writing = "nonpayable" | "payable";

/** A call of a contract, with arguments of the types that its ABI states. */
export interface Call<abi extends Abi, name extends ContractFunctionName<abi, Writing>> {
  readonly address: Address;
  readonly abi: abi;
  readonly functionName: name;
  readonly args: ContractFunctionArgs<abi, Writing, name>;
}

/**
 * Carries out a call; returns its transaction once it is mined. What the contract would refuse never
 * reaches the wallet.
 */
export async function transact<const abi extends Abi, name extends ContractFunctionName<abi, Writing>>(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  call: Call<abi, name>,
): Promise<Hex> {
  await requireChain(account, deployment);
  const { address, abi, functionName, args } = call as unknown as {
    address: Address;
    abi: Abi;
    functionName: string;
    args: readonly unknown[];
  };
  await client.simulateContract({ address, abi, functionName, args, account: account.address });
  const hash = await account.client.sendTransaction({
    account: account.address,
    chain: account.client.chain ?? null,
    to: address,
    data: encodeFunctionData({ abi, functionName, args }),
  });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Fault("The transaction failed", "The chain refused it; only gas was paid.");
  return hash;
}
