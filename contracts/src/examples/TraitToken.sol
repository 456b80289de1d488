// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {InferenceConsumer} from "../consumer/InferenceConsumer.sol";
import {Tensor} from "../consumer/Tensor.sol";
import {IInferenceMarket} from "../interfaces/IInferenceMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title Pictures whose trait is what a classifier sees in them
/// @notice A token stands for one picture, named by its digest when it is minted. Its trait is the label that the
/// pinned version gives to that picture: set once, by whoever pays for the answer, and never changed.
/// @dev The number of a token binds minter and picture, so nobody can take a number by being faster, and no other
/// picture can be classified under it.
contract TraitToken is InferenceConsumer, ERC721, IERC4906 {
    using Strings for uint256;

    event Minted(uint256 indexed tokenId, address indexed minter, bytes32 indexed pictureDigest);
    event TraitSet(uint256 indexed tokenId, uint256 indexed requestId, uint8 label);

    error TraitToken_NotOneOutput(uint256 outputs);
    error TraitToken_TooManyLabels(uint256 labels);
    error TraitToken_ZeroDigest();
    error TraitToken_OtherPicture(bytes32 given, bytes32 expected);
    error TraitToken_TraitIsSet(uint256 tokenId);
    error TraitToken_NoTrait(uint256 tokenId);

    uint32 private constant LIFETIME = 1 days;
    uint32 private constant LOCK_DURATION = 10 minutes;
    uint32 private constant CALLBACK_GAS = 120_000;

    uint256 private immutable _WIDTH;

    /// @notice keccak256 of a token's packed picture.
    mapping(uint256 tokenId => bytes32) public pictureOf;
    mapping(uint256 tokenId => uint256 labelPlusOne) private _traits;
    mapping(uint256 requestId => uint256 tokenId) private _tokens;

    constructor(address market, uint64 versionId)
        InferenceConsumer(market, versionId, ZK_ONLY)
        ERC721("Classified Pictures", "PICTURE")
    {
        // Check: one tensor of scores, few enough that a label fits a byte.
        bytes memory schema = IModelRegistry(IInferenceMarket(market).registry()).ioSchema(versionId);
        Tensor.Layout memory scores = Tensor.outputLayout(schema, 0);
        uint256 outputs = Tensor.outputCount(schema);
        if (outputs != 1) revert TraitToken_NotOneOutput(outputs);
        if (scores.count > 256) revert TraitToken_TooManyLabels(scores.count);
        // Effect
        _WIDTH = scores.width;
    }

    /// @notice Mints the caller's token of a picture, which need not be shown yet.
    function mint(bytes32 pictureDigest) external returns (uint256 tokenId) {
        // Check
        if (pictureDigest == 0) revert TraitToken_ZeroDigest();
        tokenId = tokenIdOf(msg.sender, pictureDigest);
        // Effect
        pictureOf[tokenId] = pictureDigest;
        emit Minted(tokenId, msg.sender, pictureDigest);
        // Interaction: last, the receiver is told. Reverts where the number exists.
        _safeMint(msg.sender, tokenId);
    }

    /// @notice Asks for the trait of a token, at the caller's cost: its holder or anybody else, since whoever asks can
    /// ask about its picture only.
    /// @param picture the packed picture.
    function requestTrait(uint256 tokenId, bytes calldata picture, uint128 price, uint128 collateral)
        external
        returns (uint256 requestId)
    {
        // Check
        _requireOwned(tokenId);
        if (_traits[tokenId] != 0) revert TraitToken_TraitIsSet(tokenId);
        bytes32 expected = pictureOf[tokenId];
        if (keccak256(picture) != expected) revert TraitToken_OtherPicture(keccak256(picture), expected);
        // Interaction: the market is no foreign code, and nobody can answer before this transaction ends.
        Terms memory terms = Terms({
            mode: TrustMode.ZK,
            price: price,
            minPrice: 0,
            rampLength: 0,
            collateral: collateral,
            lifetime: LIFETIME,
            lockDuration: LOCK_DURATION,
            executor: address(0),
            callbackGas: CALLBACK_GAS
        });
        requestId = _askForCaller(terms, _packed(picture), 0);
        // Effect
        _tokens[requestId] = tokenId;
    }

    /// @notice Number of a minter's token of a picture.
    function tokenIdOf(address minter, bytes32 pictureDigest) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(minter, pictureDigest)));
    }

    /// @notice Label of a token's picture.
    function traitOf(uint256 tokenId) external view returns (uint8) {
        uint256 labelPlusOne = _traits[tokenId];
        if (labelPlusOne == 0) revert TraitToken_NoTrait(tokenId);
        return uint8(labelPlusOne - 1);
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        uint256 labelPlusOne = _traits[tokenId];
        string memory attributes = labelPlusOne == 0
            ? ""
            : string.concat("{\"trait_type\":\"label\",\"value\":\"", (labelPlusOne - 1).toString(), "\"}");
        string memory json = string.concat(
            "{\"name\":\"Picture ", uint256(pictureOf[tokenId]).toHexString(32), "\",\"attributes\":[", attributes, "]}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(bytes(json)));
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        return interfaceId == bytes4(0x49064906) || super.supportsInterface(interfaceId);
    }

    /// @inheritdoc InferenceConsumer
    function _onAnswer(uint256 requestId, Asked memory, bytes calldata output) internal override {
        uint256 tokenId = _tokens[requestId];
        // Check: two may have asked; the first answer stands.
        if (_traits[tokenId] != 0) return;
        // Effect
        uint256 label = Tensor.argmax(output, _WIDTH);
        _traits[tokenId] = label + 1;
        emit TraitSet(tokenId, requestId, uint8(label));
        emit MetadataUpdate(tokenId);
    }
}
